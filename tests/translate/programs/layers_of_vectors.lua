-- Layers whose inputs are tables of vectors and numbers, with outputs that take another tensor's memory.
require 'nn'
torch.manualSeed(1)

-- x ^ p, for a number p in a tensor
do
   local Raised, parent = torch.class('nn.Raised', 'nn.Module')

   function Raised:__init()
      parent.__init(self)
      self.gradInput = {}
   end

   function Raised:updateOutput(input)
      local x, p = unpack(input)
      return self.output:set(torch.pow(x, p[1]))
   end

   function Raised:updateGradInput(input, gradOutput)
      local x, p = unpack(input)
      p = p[1]
      self.gradInput[1] = self.gradInput[1] or x.new()
      self.gradInput[2] = self.gradInput[2] or x.new()
      local ofBase = self.gradInput[1]
      ofBase:set(torch.cmul(gradOutput, torch.pow(x, p - 1)))
      ofBase:mul(p)
      local sum = 0
      for i = 1, x:size(1) do
         if x[i] > 0 then sum = sum + math.log(x[i]) * self.output[i] * gradOutput[i] end
      end
      self.gradInput[2]:resizeAs(input[2])
      self.gradInput[2][1] = sum
      return self.gradInput
   end
end

-- the products of all elements of two vectors, or of three
do
   local Outer, parent = torch.class('nn.Outer', 'nn.Module')

   function Outer:__init()
      parent.__init(self)
      self.gradInput = {}
   end

   function Outer:updateOutput(input)
      local n = #input
      if n == 2 then
         self.output:set(torch.ger(input[1], input[2]))
      else
         local sizes = torch.LongStorage(n)
         for i = 1, n do sizes[i] = input[i]:size(1) end
         self.output:resize(sizes):zero()
         local u, v, w = unpack(input)
         local uv = torch.ger(u, v)
         for i = 1, w:size(1) do self.output[{{}, {}, i}]:add(w[i], uv) end
      end
      return self.output
   end

   function Outer:updateGradInput(input, gradOutput)
      local u, v, w = unpack(input)
      for i = 1, #input do
         self.gradInput[i] = self.gradInput[i] or u.new()
         self.gradInput[i]:resizeAs(input[i])
      end
      if #input == 2 then
         self.gradInput[1]:copy(gradOutput * v)
         self.gradInput[2]:copy(gradOutput:t() * u)
         return self.gradInput
      end
      local uv = u.new():resize(u:size(1), v:size(1)):zero()
      for i = 1, w:size(1) do uv:add(w[i], gradOutput[{{}, {}, i}]) end
      self.gradInput[1]:copy(uv * v)
      self.gradInput[2]:copy(uv:t() * u)
      local vw = u.new():resize(v:size(1), w:size(1)):zero()
      for i = 1, u:size(1) do vw:add(u[i], gradOutput[{i, {}, {}}]) end
      self.gradInput[3]:copy(vw:t() * v)
      return self.gradInput
   end
end

local raised, outer = nn.Raised(), nn.Outer()
local x, p = torch.rand(4), torch.Tensor{1.5}
print(raised:forward{x, p})
local ofRaised = raised:backward({x, p}, torch.rand(4))
print(ofRaised[1], ofRaised[2])
print(unpack(raised:backward({x, p}, torch.rand(4))))

local a, b, c = torch.rand(3), torch.rand(2), torch.rand(4)
local plane = outer:forward{a, b}
local of_two = outer:backward({a, b}, plane)
print(of_two[1], of_two[2])
local cube = outer:forward{a, b, c}
local of_three = outer:backward({a, b, c}, cube)
print(cube:sum(), of_three[1], of_three[3])

-- Sizes that are changed before they are used.
local sizes = cube:size()
sizes[2] = sizes[2] * 2
sizes[3] = sizes[3] / 2
print(cube:view(sizes):size(2), cube:size(2), #sizes)
