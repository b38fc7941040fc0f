-- a loader class with shuffled batches, a model factory by name, training and validation with patience
require 'nn'
require 'optim'
torch.manualSeed(5)

do
   local Loader = torch.class('Loader')
   function Loader:__init(x, y, batch, shuffle)
      self.x, self.y = x, y
      self.batch = batch or 4
      self.shuffle = shuffle ~= false
      self:reset()
   end
   function Loader:reset()
      local n = self.x:size(1)
      self.order = self.shuffle and torch.randperm(n):long() or torch.range(1, n):long()
      self.at = 1
   end
   function Loader:size() return math.ceil(self.x:size(1) / self.batch) end
   function Loader:next()
      local n = self.x:size(1)
      if self.at > n then
         self:reset()
         return nil
      end
      local stop = math.min(self.at + self.batch - 1, n)
      local idx = self.order[{{self.at, stop}}]
      self.at = stop + 1
      return self.x:index(1, idx), self.y:index(1, idx)
   end
   function Loader:iterate()
      return function() return self:next() end
   end
end

local models = {}
function models.linear(d, k) return nn.Sequential():add(nn.Linear(d, k)) end
function models.deep(d, k, h)
   h = h or 8
   local net = nn.Sequential()
   for _ = 1, 2 do
      net:add(nn.Linear(d, h)):add(nn.ReLU(true)):add(nn.Dropout(0.1))
      d = h
   end
   return net:add(nn.Linear(h, k))
end

local function toy(n)
   local x = torch.randn(n, 4)
   local y = torch.Tensor(n)
   for i = 1, n do y[i] = x[i]:sum() > 0 and 2 or 1 end
   return x, y
end
local train = Loader(toy(40))
local xv, yv = toy(20)
local valid = Loader(xv, yv, 5, false)

local function evaluate(net, crit, loader)
   net:evaluate()
   local loss, right, n = 0, 0, 0
   for x, y in loader:iterate() do
      local out = net:forward(x)
      loss = loss + crit:forward(out, y) * x:size(1)
      local _, guess = out:max(2)
      right = right + guess:squeeze():eq(y:long()):sum()
      n = n + x:size(1)
   end
   net:training()
   return loss / n, right / n
end

for _, name in ipairs{'linear', 'deep'} do
   local net, crit = models[name](4, 2), nn.CrossEntropyCriterion()
   local params, grads = net:getParameters()
   local best, patience, state = math.huge, 0, {learningRate = 0.05}
   for epoch = 1, 8 do
      for x, y in train:iterate() do
         optim.adam(function()
            grads:zero()
            local out = net:forward(x)
            local loss = crit:forward(out, y)
            net:backward(x, crit:backward(out, y))
            grads:clamp(-1, 1)
            return loss, grads
         end, params, state)
      end
      local loss, accuracy = evaluate(net, crit, valid)
      if loss < best - 1e-3 then
         best, patience = loss, 0
      else
         patience = patience + 1
         if patience == 2 then print(name .. ': no better since epoch ' .. epoch - 2) break end
      end
      if epoch % 4 == 0 then print(string.format('%s %d: %.4f %.2f', name, epoch, loss, accuracy)) end
   end
   print(string.format('%s: best %.4f of %d batches', name, best, valid:size()))
end
