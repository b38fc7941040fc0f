-- Layers that derive from others than nn.Module, with gradients by hand, and halves that return early.
require 'nn'
torch.manualSeed(3)
-- a forward of its own, and the parent's way back
local Halved, halved_parent = torch.class('nn.Halved', 'nn.Linear')
function Halved:__init(from, to)
   halved_parent.__init(self, from, to)
   self.portion = 0.5
end
function Halved:updateOutput(x)
   halved_parent.updateOutput(self, x)
   self.output:mul(self.portion)
   return self.output
end
-- no gradient goes further back
local Wall, wall_parent = torch.class('nn.Wall', 'nn.Linear')
function Wall:__init(from, to) wall_parent.__init(self, from, to) end
function Wall:updateGradInput(x, above)
   if self.gradInput then
      self.gradInput:resizeAs(x):zero()
      return self.gradInput
   end
end
-- learns twice as fast
local Eager, eager_parent = torch.class('nn.Eager', 'nn.Linear')
function Eager:__init(from, to) eager_parent.__init(self, from, to) end
function Eager:accGradParameters(x, above, scale)
   for i = 1, 2 do eager_parent.accGradParameters(self, x, above, scale) end
end
-- only gradients that raise what they come from
local Guided, guided_parent = torch.class('nn.Guided', 'nn.ReLU')
function Guided:__init()
   guided_parent.__init(self, true)
   self.guide = false
end
function Guided:guided(yes) self.guide = yes end
function Guided:updateOutput(x) return guided_parent.updateOutput(self, x) end
function Guided:updateGradInput(x, above)
   guided_parent.updateGradInput(self, x, above)
   if self.guide then self.gradInput:cmul(above:gt(0):double()) end
   return self.gradInput
end
-- a way back for each setting
local Limit, limit_parent = torch.class('nn.Limit', 'nn.Module')
function Limit:__init(bound, through)
   limit_parent.__init(self)
   self.bound, self.through = bound, through or false
end
function Limit:updateOutput(x)
   self.output = torch.clamp(x, -self.bound, self.bound)
   return self.output
end
function Limit:updateGradInput(x, above)
   if self.through then
      self.gradInput = above
      return self.gradInput
   end
   self.gradInput = torch.cmul(above, torch.abs(x):le(self.bound):double())
   return self.gradInput
end
-- a mixture of a layer and nothing, weighted by another one
local Mix, mix_parent = torch.class('nn.Mix', 'nn.Container')
function Mix:__init(size)
   mix_parent.__init(self)
   self.change = nn.Sequential():add(nn.Linear(size, size)):add(nn.Tanh())
   self.door = nn.Sequential():add(nn.Linear(size, size)):add(nn.Sigmoid())
   self:add(self.change):add(self.door)
end
function Mix:updateOutput(x)
   self.new = self.change:forward(x)
   self.open = self.door:forward(x)
   self.output:resizeAs(x)
   self.output:copy(self.new):add(-1, x):cmul(self.open):add(x)
   return self.output
end
function Mix:updateGradInput(x, above)
   self.gradInput:resizeAs(x):copy(above):cmul(1 - self.open)
   self.gradInput:add(self.change:updateGradInput(x, torch.cmul(above, self.open)))
   self.gradInput:add(self.door:updateGradInput(x, torch.cmul(above, self.new - x)))
   return self.gradInput
end
function Mix:accGradParameters(x, above, scale)
   self.change:accGradParameters(x, torch.cmul(above, self.open), scale)
   self.door:accGradParameters(x, torch.cmul(above, self.new - x), scale)
end
-- keeps what it sees, and gives it on
local Watch, watch_parent = torch.class('nn.Watch', 'nn.Module')
function Watch:__init()
   watch_parent.__init(self)
   self.size = 0
end
function Watch:updateOutput(x)
   self.size = x:norm(1)
   self.output = x
   return x
end
function Watch:updateGradInput(x, above)
   self.gradInput:set(above)
   return self.gradInput
end

local guided, watch = nn.Guided(), nn.Watch()
local first = nn.Sequential():add(nn.Linear(3, 4)):add(guided):add(nn.Halved(4, 3)):add(nn.Eager(3, 2))
local second = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Limit(1)):add(nn.Mix(4)):add(nn.Limit(0.5, true))
second:add(nn.Linear(4, 3)):add(watch):add(nn.Wall(3, 2))
local cost = nn.MSECriterion()
local x, y = torch.randn(6, 3), torch.randn(6, 2)
for i = 1, 4 do
   for _, net in ipairs{first, second} do
      net:zeroGradParameters()
      local missed = cost:forward(net:forward(x), y)
      net:backward(x, cost:backward(net.output, y))
      net:updateParameters(0.2)
      print(i, missed, watch.size)
   end
end
guided:guided(true)
local out = first:forward(x)
print(first:updateGradInput(x, out):norm())
