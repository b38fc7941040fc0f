--- layers added by statements, in a chain, and within an expression
local net = nn.Sequential()
net:add(nn.Linear(4, 3))
net:add(nn.Tanh()):add(nn.Linear(3, 2))
local both = nn.Sequential():add(net):add(nn.LogSoftMax())
print(both:forward(torch.ones(2, 4)))
--- layers added in a loop, and in an if
local sizes, batchNorm = {4, 6, 3}, true
local net = nn.Sequential()
for i = 2, #sizes do
   net:add(nn.Linear(sizes[i - 1], sizes[i]))
   if batchNorm then net:add(nn.BatchNormalization(sizes[i])) end
   net:add(nn.ReLU())
end
print(net:forward(torch.ones(2, 4):mul(0.5)))
--- a layer that has a name, and one that a function makes, are added
local function block(n, m)
   local b = nn.Sequential()
   b:add(nn.Linear(n, m))
   b:add(nn.Sigmoid())
   return b
end
local first = nn.Linear(4, 3)
local net = nn.Sequential()
net:add(first)
net:add(block(3, 2))
print(net:forward(torch.ones(2, 4)))
--- a graph of layers
require 'nngraph'
local x = nn.Identity()()
local h = nn.Tanh()(nn.Linear(4, 3)(x))
local y = nn.Linear(3, 2)(nn.CAddTable()({h, nn.Linear(4, 3)(x)}))
local net = nn.gModule({x}, {y})
print(net:forward(torch.ones(2, 4)))
--- a graph written with minus signs
require 'nngraph'
local x = - nn.Identity()
local y = x - nn.Linear(4, 3) - nn.Tanh()
local net = nn.gModule({x}, {y})
print(net:forward(torch.ones(2, 4)))
--- a graph with lists of inputs and outputs
require 'nngraph'
local inputs = {}
local outputs = {}
table.insert(inputs, nn.Identity()())
table.insert(inputs, nn.Identity()())
local h = nn.Tanh()(nn.CAddTable()(inputs))
table.insert(outputs, nn.Linear(4, 2)(h))
table.insert(outputs, h)
local net = nn.gModule(inputs, outputs)
local y = net:forward({torch.ones(2, 4), torch.ones(2, 4):mul(0.5)})
print(y[1], y[2])
--- a graph whose list has one output
require 'nngraph'
local x = nn.Identity()()
local outputs = {}
table.insert(outputs, nn.Linear(4, 2)(x))
local net = nn.gModule({x}, outputs)
print(net:forward(torch.ones(2, 4)))
--- lists of a graph made side by side
require 'nngraph'
local inputs, outputs = {}, {}
table.insert(inputs, nn.Identity()())
table.insert(outputs, nn.Linear(4, 2)(inputs[1]))
local net = nn.gModule(inputs, outputs)
print(net:forward(torch.ones(2, 4)))
--- nodes with names
require 'nngraph'
local x = nn.Identity()()
local h = nn.Linear(4, 3)(x):annotate{name = 'hidden'}
local net = nn.gModule({x}, {nn.Tanh()(h)})
print(net:forward(torch.ones(2, 4)))
--- models in a table, and in a list
local nets = {encoder = nn.Linear(4, 3)}
nets.decoder = nn.Linear(3, 4)
local steps = {}
for i = 1, 2 do steps[i] = nn.Linear(4, 4) end
local x = torch.ones(2, 4)
for i = 1, 2 do x = steps[i]:forward(x) end
print(nets.decoder:forward(nets.encoder:forward(x)))
--- a layer of one's own
local Scale, parent = torch.class('nn.ScaleBy', 'nn.Module')
function Scale:__init(factor)
   parent.__init(self)
   self.factor = factor
end
function Scale:updateOutput(input)
   self.output:resizeAs(input):copy(input):mul(self.factor)
   return self.output
end
function Scale:updateGradInput(input, gradOutput)
   self.gradInput:resizeAs(gradOutput):copy(gradOutput):mul(self.factor)
   return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.ScaleBy(2))
print(net:forward(torch.ones(2, 4)))
--- a class of one's own
local C = torch.class('Counter')
function C:__init(first) self.value = first end
function C:up(n)
   self.value = self.value + (n or 1)
   return self
end
local c = Counter(3)
c:up():up(5)
print(c.value)
--- modifiers of layers
local net = nn.Sequential()
net:add(nn.SpatialConvolution(1, 2, 3, 3):noBias())
net:add(nn.SpatialMaxPooling(2, 2, 2, 2):ceil())
net:add(nn.View(-1):setNumInputDims(3))
print(net:forward(torch.ones(2, 1, 7, 7)))
--- weights that are filled, drawn and copied
local net = nn.Linear(4, 3)
net.weight:fill(0.5)
net.bias:zero()
local other = nn.Linear(4, 3)
other.weight:copy(net.weight)
other.bias:uniform(-0.1, 0.1)
print(net:forward(torch.ones(2, 4)))
print(other.weight:sum())
--- all layers of a kind are given weights
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.Linear(3, 2))
net:apply(function(m) if m.bias then m.bias:fill(0.1) end end)
for _, layer in ipairs(net:findModules('nn.Linear')) do layer.weight:normal(0, 0.1) end
print(net:forward(torch.ones(2, 4)):size(2))
--- two layers with the same weights
local a = nn.Linear(4, 4)
local b = a:clone('weight', 'bias', 'gradWeight', 'gradBias')
local net = nn.Sequential():add(a):add(nn.Tanh()):add(b)
print(net:forward(torch.ones(2, 4)))
--- layers are looked at by number
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.Linear(3, 2))
print(net:get(1).weight:size(1), net.modules[3].bias:size(1), #net.modules)
--- the output that a layer keeps
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())
net:forward(torch.ones(2, 4))
print(net:get(2).output:dim())
--- layers are taken away and put in
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.LogSoftMax())
net:remove(3)
net:insert(nn.ReLU(), 2)
print(net:forward(torch.ones(2, 4)))
--- training and evaluation
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Dropout(0.5))
net:training()
net:evaluate()
print(net:forward(torch.ones(2, 4)))
--- where there is a GPU
local opt = {gpu = -1}
local net = nn.Linear(4, 3)
local x = torch.ones(2, 4)
if opt.gpu >= 0 then
   require 'cunn'
   cutorch.setDevice(opt.gpu + 1)
   net:cuda()
   x = x:cuda()
end
print(net:forward(x))
--- the generator is seeded
torch.manualSeed(1)
local net = nn.Linear(4, 3)
print(net:forward(torch.ones(2, 4)):size(1))
--- a step of gradient descent by hand
local net, loss = nn.Linear(4, 2), nn.MSECriterion()
local x, y = torch.ones(3, 4), torch.zeros(3, 2)
for i = 1, 3 do
   net:zeroGradParameters()
   local output = net:forward(x)
   print(loss:forward(output, y))
   net:backward(x, loss:backward(output, y))
   net:updateParameters(0.1)
end
--- a step of optim with a function
require 'optim'
local net, loss = nn.Sequential():add(nn.Linear(4, 3)):add(nn.LogSoftMax()), nn.ClassNLLCriterion()
local x, y = torch.ones(3, 4), torch.Tensor{1, 2, 3}
local weights, gradients = net:getParameters()
local config = {learningRate = 0.1, momentum = 0.9}
local function feval()
   gradients:zero()
   local output = net:forward(x)
   local f = loss:forward(output, y)
   net:backward(x, loss:backward(output, y))
   return f, gradients
end
for i = 1, 3 do
   local _, f = optim.sgd(feval, weights, config)
   print(f[1])
end
--- a layer that some versions of nn lack
local net = nn.Sequential()
net:add(nn.Linear(4, 3))
if nn.BatchNormalization then net:add(nn.BatchNormalization(3)) end
net:add(nn.LeakyReLU and nn.LeakyReLU(0.1) or nn.ReLU())
print(net:forward(torch.ones(2, 4):mul(0.5)))
--- a spatial transformer
require 'stn'
local places = nn.Sequential():add(nn.View(-1, 32)):add(nn.Linear(32, 4))
places:add(nn.AffineTransformMatrixGenerator(true, true, true)):add(nn.AffineGridGeneratorBHWD(3, 5))
local images = nn.Sequential():add(nn.Transpose({2, 3}, {3, 4}))
local net = nn.Sequential():add(nn.ConcatTable():add(images):add(places)):add(nn.BilinearSamplerBHWD())
print(net:forward(torch.ones(2, 2, 4, 4):mul(0.1)):sum())
