-- a layer of a table, with a module inside whose weights are nobody's
require 'nn'
local Inv, parent = torch.class('nn.Inv', 'nn.Module')
function Inv:__init(n)
  parent.__init(self)
  self.weight = torch.Tensor(n):fill(0.5)
  self.gradWeight = torch.Tensor(n):zero()
  self.net = nn.Linear(n, n)
  self.gradInput = {torch.Tensor(), torch.Tensor()}
  self:reset()
end
function Inv:reset() self.weight:uniform(-1, 1) end
function Inv:updateOutput(input)
  local a, b = unpack(input)
  self.output:resizeAs(a):copy(a)
  self.output:cmul(self.weight:view(1, -1):expandAs(a)):add(b)
  if self.flag then self.output:mul(2) end
  self.inner = self.net:forward(b)
  self.output:add(self.inner)
  for i = 1, 2 do self.output:add(0.1 * i) end
  return self.output
end
function Inv:updateGradInput(input, gradOutput)
  if not self.ga then self.ga, self.gb = self.gradInput[1], self.gradInput[2] end
  self.gradInput[1]:resizeAs(gradOutput):copy(gradOutput)
  self.gradInput[1]:cmul(self.weight:view(1, -1):expandAs(gradOutput))
  local g = self.net:updateGradInput(input[2], gradOutput)
  self.gradInput[2]:resizeAs(gradOutput):copy(gradOutput):add(g)
  return self.gradInput
end
function Inv:accGradParameters(input, gradOutput, scale)
  scale = scale or 1
  self.gradWeight:add(scale, torch.cmul(input[1], gradOutput):sum(1))
end
local net = nn.Sequential():add(nn.ConcatTable():add(nn.Linear(4, 3)):add(nn.Linear(4, 3))):add(nn.Inv(3)):add(nn.Tanh())
train(net, nn.MSECriterion(), torch.randn(5, 4), torch.randn(5, 3))
---
-- a gradient that is asked for before it is there, and an input that is a tensor or a table
require 'nn'
local Either, parent = torch.class('nn.Either', 'nn.Module')
function Either:__init() parent.__init(self) self.calls = 0 end
function Either:updateOutput(input)
  self.calls = self.calls + 1
  local x = type(input) == 'table' and input[1] or input
  self.output:resizeAs(x):copy(x):mul(2)
  if type(input) == 'table' then self.output:add(input[2]) end
  return self.output
end
function Either:updateGradInput(input, gradOutput)
  if torch.isTensor(self.gradInput) and self.gradInput:nElement() == 0 then self.last = 'first' else self.last = 'more' end
  if type(input) == 'table' then
    if torch.isTensor(self.gradInput) then self.gradInput = {torch.Tensor(), torch.Tensor()} end
    self.gradInput[1]:resizeAs(input[1]):copy(gradOutput):mul(2)
    self.gradInput[2]:resizeAs(input[2]):copy(gradOutput)
  else
    self.gradInput:resizeAs(input):copy(gradOutput):mul(2)
  end
  return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Either())
net:add(nn.ConcatTable():add(nn.Identity()):add(nn.Linear(3, 3))):add(nn.Either())
train(net, nn.MSECriterion(), torch.randn(5, 4), torch.randn(5, 3))
---
-- a container: a list of modules that its halves go through
require 'nn'
local Dense, parent = torch.class('nn.Dense', 'nn.Container')
function Dense:__init(n)
  parent.__init(self)
  self.net1 = nn.Sequential():add(nn.Linear(n, 2)):add(nn.Tanh())
  self.net2 = nn.JoinTable(2)
  self.modules = {self.net1, self.net2}
end
function Dense:updateOutput(input)
  local x = torch.type(input) == 'table' and input[1] or input
  self.middle = self.net1:forward(x)
  self.output = self.net2:forward({x, self.middle})
  return self.output
end
function Dense:updateGradInput(input, gradOutput)
  local x = torch.type(input) == 'table' and input[1] or input
  self.split = self.net2:backward({x, self.middle}, gradOutput)
  self.gradInput = self.net1:updateGradInput(x, self.split[2])
  self.gradInput:add(self.split[1])
  return self.gradInput
end
function Dense:accGradParameters(input, gradOutput, scale)
  local x = torch.type(input) == 'table' and input[1] or input
  self.net1:accGradParameters(x, self.split[2], scale)
end
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Dense(3)):add(nn.Linear(5, 3))
train(net, nn.MSECriterion(), torch.randn(5, 4), torch.randn(5, 3))
---
-- a criterion with a table of two losses, whose halves are the program's
require 'nn'
local Two, parent = torch.class('nn.Two', 'nn.Criterion')
function Two:__init(weight) parent.__init(self) self.weight = weight self.mse = nn.MSECriterion() end
function Two:updateOutput(input, target)
  self.parts = {}
  self.parts[1] = self.mse:forward(input, target)
  self.parts[2] = torch.abs(input):mean()
  self.output = 0
  for i, part in ipairs(self.parts) do self.output = self.output + (i == 2 and self.weight or 1) * part end
  return self.output
end
function Two:updateGradInput(input, target)
  self.gradInput = self.mse:backward(input, target):clone()
  self.sign = self.sign or input.new()
  self.sign:resizeAs(input):sign(input)
  self.gradInput:add(self.weight / input:nElement(), self.sign)
  return self.gradInput
end
train(nn.Sequential():add(nn.Linear(4, 3)), nn.Two(0.3), torch.randn(5, 4), torch.randn(5, 3))
---
-- weights that parameters() gathers, and a mode that means something
require 'nn'
local Gather, parent = torch.class('nn.Gather', 'nn.Module')
function Gather:__init(n)
  parent.__init(self)
  self.first, self.second = nn.Linear(n, n), nn.Linear(n, n)
  self.noise = 0
end
function Gather:parameters()
  local w, g = {}, {}
  for _, m in ipairs({self.first, self.second}) do
    local mw, mg = m:parameters()
    for i = 1, #mw do w[#w + 1] = mw[i] g[#g + 1] = mg[i] end
  end
  return w, g
end
function Gather:training() parent.training(self) self.noise = 0.5 end
function Gather:evaluate() parent.evaluate(self) self.noise = 0 end
function Gather:updateOutput(input)
  self.half = self.first:forward(input)
  self.output = self.second:forward(self.half):clone():add(self.noise)
  if self.train then self.output:mul(2) end
  return self.output
end
function Gather:updateGradInput(input, gradOutput)
  local g = gradOutput:clone()
  if self.train then g:mul(2) end
  self.between = self.second:updateGradInput(self.half, g)
  self.gradInput = self.first:updateGradInput(input, self.between)
  return self.gradInput
end
function Gather:accGradParameters(input, gradOutput, scale)
  local g = gradOutput:clone()
  if self.train then g:mul(2) end
  self.second:accGradParameters(self.half, g, scale)
  self.first:accGradParameters(input, self.between, scale)
end
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Gather(3))
local x, y = torch.randn(5, 4), torch.randn(5, 3)
net:training()
train(net, nn.MSECriterion(), x, y)
net:evaluate()
train(net, nn.MSECriterion(), x, y)
---
-- a class that derives from one in plain calls
require 'nn'
local Base, parent = torch.class('nn.Base', 'nn.Module')
function Base:__init(factor) parent.__init(self) self.factor = factor end
function Base:scale(x) return x * self.factor end
function Base:updateOutput(input)
  if not self.seen then self.seen = {} end
  self.seen[#self.seen + 1] = input:size(1)
  self.output = self:scale(input)
  return self.output
end
function Base:updateGradInput(input, gradOutput)
  if self.gradInput:nElement() > 0 then self.again = true end
  self.gradInput = self:scale(gradOutput)
  return self.gradInput
end
local Child, base = torch.class('nn.Child', 'nn.Base')
function Child:__init() base.__init(self, 3) end
function Child:scale(x) return base.scale(self, x) + 0 end
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Child()):add(nn.Base(0.5))
train(net, nn.MSECriterion(), torch.randn(5, 4), torch.randn(5, 3))
---
-- an output that the next call writes over, and methods with several values
require 'nn'
local Twice, parent = torch.class('nn.Twice', 'nn.Module')
function Twice:__init(n)
  parent.__init(self)
  self.net = nn.Linear(n, n)
  self.other = {0}
end
function Twice:parameters() return self.net:parameters() end
function Twice:ends(x)
  local low, place = torch.min(x, 1)
  return low:sum(), (torch.max(x, 1)):sum()
end
function Twice:updateOutput(input)
  if not self.seen then self.seen = {} end
  local first = self.net:forward(input)
  local low, high = self:ends(first)
  self.net:forward(input * 2)
  self.sum = first:sum() + low + high
  self.seen[#self.seen + 1] = self.sum
  self.half = self.net:forward(input)
  self.output = self.half * 0.5 + 0.001 * self.sum
  return self.output
end
function Twice:updateGradInput(input, gradOutput)
  self.gradInput = self.net:updateGradInput(input, gradOutput * 0.5)
  return self.gradInput
end
function Twice:accGradParameters(input, gradOutput, scale)
  self.net:accGradParameters(input, gradOutput * 0.5, scale)
end
train(nn.Sequential():add(nn.Linear(4, 3)):add(nn.Twice(3)), nn.MSECriterion(), torch.randn(5, 4), torch.randn(5, 3))
---
-- derived_convolutions
require 'nn'
do
local Upsample, parent = torch.class('nn.SpatialConvolutionUpsample', 'nn.SpatialConvolution')
function Upsample:__init(nInputPlane, nOutputPlane, kW, kH, factor)
   factor = factor or 2
   assert(kW % 2 == 1, 'kW has to be odd')
   self.factor = factor
   self.nOutputPlaneU = nOutputPlane
   parent.__init(self, nInputPlane, nOutputPlane * factor * factor, kW, kH, 1, 1, (kW-1)/2)
end
function Upsample:updateOutput(input)
   self.output = parent.updateOutput(self, input)
   self.h = input:size(3)
   self.w = input:size(4)
   self.output = self.output:view(input:size(1), self.nOutputPlaneU, self.h*self.factor, self.w*self.factor)
   return self.output
end
function Upsample:updateGradInput(input, gradOutput)
   gradOutput = gradOutput:view(input:size(1), self.nOutputPlaneU*self.factor*self.factor, self.h, self.w)
   self.gradInput = parent.updateGradInput(self, input, gradOutput)
   return self.gradInput
end
function Upsample:accGradParameters(input, gradOutput, scale)
   gradOutput = gradOutput:view(input:size(1), self.nOutputPlaneU*self.factor*self.factor, self.h, self.w)
   parent.accGradParameters(self, input, gradOutput, scale)
end
local Edge, eparent = torch.class('nn.EdgeFilter', 'nn.SpatialConvolution')
function Edge:__init(n)
   eparent.__init(self, n, n * 2, 3, 3, 1, 1, 0, 0)
end
function Edge:reset()
   self.bias:zero()
   self.gradWeight:fill(0)
   self.weight:fill(0)
   for c = 1, self.nInputPlane do
      self.weight[c][c][2][2] = 1
      self.weight[c][c][1][1] = -1
   end
end
function Edge:accGradParameters(input, gradOutput, scale) end
function Edge:updateParameters(learningRate) end
end
local net = nn.Sequential():add(nn.EdgeFilter(2)):add(nn.SpatialConvolutionUpsample(4, 1, 3, 3)):add(nn.Tanh())
train(net, nn.MSECriterion(), torch.randn(2, 2, 6, 6), torch.randn(2, 1, 8, 8))
---
-- derived_lookup
require 'nn'
do
local MaskZero, lparent = torch.class('nn.LookupMask', 'nn.LookupTable')
function MaskZero:__init(n, m)
   lparent.__init(self, n + 1, m)
end
function MaskZero:updateOutput(input)
   self.weight[1]:zero()
   self.shifted = self.shifted or input.new()
   self.shifted:resizeAs(input):add(input, 1)
   return lparent.updateOutput(self, self.shifted)
end
function MaskZero:accGradParameters(input, gradOutput, scale)
   lparent.accGradParameters(self, self.shifted, gradOutput, scale)
end
end
local net = nn.Sequential():add(nn.LookupMask(5, 3)):add(nn.Mean(1)):add(nn.Linear(3, 2))
train(net, nn.MSECriterion(), torch.LongTensor{3, 0, 2, 0, 5}, torch.randn(2))
---
-- a loop over rows, in a layer whose idiomatic form was tried first, and its gradients replaced from outside
require 'nn'
local Rows, parent = torch.class('nn.Rows', 'nn.Module')
function Rows:__init(n)
  parent.__init(self)
  self.n = n
  self.inner = nn.Tanh()
  self.gradInput = {torch.Tensor(), torch.Tensor()}
end
function Rows:updateOutput(input)
  local x, scale = input[1], input[2]
  self.output:resize(x:size(1), self.n)
  for i = 1, x:size(1) do
    local row = x[i]
    self.output[i] = self.inner:updateOutput(row:narrow(1, scale[i][1], self.n))
  end
  return self.output
end
function Rows:updateGradInput(input, gradOutput)
  local x, scale = input[1], input[2]
  if not self.gradInput[1] then self.gradInput[1] = x.new() end
  self.gradInput[1]:resizeAs(x):zero()
  self.gradInput[2]:resizeAs(scale):zero()
  for i = 1, x:size(1) do
    local part = {i, {scale[i][1], scale[i][1] + self.n - 1}}
    self.inner:updateOutput(x[part])
    self.gradInput[1][part]:add(self.inner:updateGradInput(x[part], gradOutput[i]))
  end
  return self.gradInput
end
torch.manualSeed(3)
local first = nn.Linear(4, 4)
local net = nn.Sequential()
  :add(nn.ParallelTable():add(first):add(nn.Identity()))
  :add(nn.Rows(2))
net:get(2).gradInput[2] = torch.Tensor()
local x, places = torch.randn(3, 4), torch.Tensor{{1}, {3}, {2}}
for i = 1, 5 do
  local y = net:forward({x, places})
  net:zeroGradParameters()
  net:backward({x, places}, y)
  net:updateParameters(0.1)
  print(y:sum(), first.weight:sum())
end
---
-- methods that give several values, loops down, and operands of as many dimensions
require 'nn'
local Scaled, parent = torch.class('nn.Scaled', 'nn.Module')
function Scaled:__init(size)
   parent.__init(self)
   self.weight = torch.Tensor(2, size):fill(0.5)
   self.gradWeight = torch.zeros(2, size)
   self.cell, self.sums = torch.Tensor(), {}
   self.output, self.gradInput = torch.Tensor(), torch.Tensor()
end
function Scaled:parts(input)
   local n, d = input:size(1), input:size(2)
   return n, d, self.weight[{{1, 1}}], self.weight[{{2, 2}}]
end
function Scaled:pair(input)
   self.calls = (self.calls or 0) + 1
   return {input, self.weight}
end
function Scaled:updateOutput(input)
   local n, d, a, b = self:parts(input)
   local x, w, more = unpack(self:pair(input))
   self.cell:resize(n, d):cmul(x, a:expand(n, d))
   self.output:resizeAs(input):copy(self.cell)
   for i = n, 1, -1 do
      self.output:narrow(1, i, 1):add(i, b)
      self.sums[i] = self.cell[i]:sum()
   end
   for i, total in ipairs(self.sums) do self.output[{i, 1}] = self.output[{i, 1}] + 0.01 * total / d end
   return self.output
end
function Scaled:updateGradInput(input, gradOutput)
   local n, d, a = self:parts(input)
   self.gradInput:resizeAs(input):cmul(gradOutput, a:expand(n, d))
   for i = 1, n do self.gradInput[i]:add(0.01 * gradOutput[{i, 1}] / d, a:view(d)) end
   return self.gradInput
end
function Scaled:accGradParameters(input, gradOutput, scale)
   local n, d = self:parts(input)
   local column = gradOutput:narrow(2, 1, 1):clone()
   for i = n, 1, -1 do
      self.gradWeight:narrow(1, 1, 1):view(d):addcmul(scale, input[i], gradOutput[i])
      self.gradWeight:narrow(1, 1, 1):view(d):add(scale * 0.01 * column[{i, 1}] / d, input[i])
      self.gradWeight:narrow(1, 2, 1):view(d):add(scale * i, gradOutput[i])
   end
end
train(nn.Sequential():add(nn.Linear(3, 4)):add(nn.Scaled(4)), nn.MSECriterion(), torch.randn(5, 3), torch.randn(5, 4))
---
-- classes with functions of their own, and fields before the parent's constructor
require 'nn'
local Around, parent = torch.class('nn.Around', 'nn.Container')
function Around:__init(inner)
   parent.__init(self)
   self.inner = inner
   self:add(inner)
end
function Around:updateOutput(input)
   self.output = self.inner:updateOutput(input)
   return self.output
end
function Around:updateGradInput(input, gradOutput)
   self.gradInput = self.inner:updateGradInput(input, gradOutput)
   return self.gradInput
end
function Around:accGradParameters(input, gradOutput, scale)
   self.inner:accGradParameters(input, gradOutput, scale)
end
local Chosen, around = torch.class('nn.Chosen', 'nn.Around')
local options = {{'kind', 'squashed'}, {'size', 4}}
function Chosen.defaults(into)
   for _, option in ipairs(options) do into[option[1]] = option[2] end
   return into
end
function Chosen:__init(opt)
   self.kind = opt.kind
   around.__init(self, self:build(opt.size))
end
function Chosen:build(size)
   local net = nn.Sequential():add(nn.Linear(size, size, false))
   if self.kind == 'squashed' then net:add(nn.Tanh()) end
   return net
end
local opt = nn.Chosen.defaults({})
train(nn.Sequential():add(nn.Chosen(opt)):add(nn.Linear(4, 2)), nn.MSECriterion(), torch.randn(5, 4), torch.randn(5, 2))
---
-- a layer without weights that computes otherwise than the one it derives from, by what all its objects share
require 'nn'
local masks, parts = {}, {}
local Shared, parent = torch.class('nn.SharedMask', 'nn.Dropout')
function Shared:__init(p, id)
   parent.__init(self, p)
   Shared.begin(id, p)
   self.id = id
end
function Shared.begin(id, p)
   if masks[id] == nil then masks[id] = torch.Tensor() parts[id] = p end
end
function Shared.draw(mask, p) mask:fill(1 / (1 - p)) mask:select(1, 1):zero() end
function Shared:updateOutput(input)
   if not masks[self.id]:isSameSizeAs(input) then
      masks[self.id]:resizeAs(input)
      Shared.draw(masks[self.id], parts[self.id])
   end
   self.output:resizeAs(input):copy(input):cmul(masks[self.id])
   return self.output
end
function Shared:updateGradInput(input, gradOutput)
   self.gradInput:resizeAs(gradOutput):copy(gradOutput):cmul(masks[self.id])
   return self.gradInput
end
train(nn.Sequential():add(nn.Linear(3, 4)):add(nn.SharedMask(0.5, 'a')):add(nn.SharedMask(0.2, 'b')), nn.MSECriterion(), torch.randn(5, 3), torch.randn(5, 4))
