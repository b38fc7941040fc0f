-- Things that programs do again and again, none of which may leave anything behind.
require 'nn'
require 'nngraph'
require 'optim'
require 'rnn'
require 'dpnn'

local path = os.tmpname()
local function net() return nn.Sequential():add(nn.Linear(20, 20)):add(nn.Tanh()) end
local x, same = torch.randn(10, 20), net()
local sequencer = nn.Sequencer(nn.LSTM(20, 20))
local function steps(count, rows)
   local made = {}
   for t = 1, count do made[t] = torch.randn(rows, 20) end
   return made
end
local function graph()
   local input = nn.Identity()()
   return nn.gModule({input}, {nn.Tanh()(nn.Linear(20, 20)(input))})
end

local A = {}
function A.errors()
   pcall(function() same:forward(torch.randn(3, 7)) end)
   pcall(function() torch.randn(10, 10):mm(torch.randn(3, 3), torch.randn(2, 2)) end)
   pcall(function() error({net()}) end)
end
function A.coroutines()
   local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(torch.randn(20, 20)) end end)
   co()
   co()
end
function A.apply() net():apply(function(m) m.train = true end) end
function A.methods()
   local m = net()
   m.updateOutput = function(self, input) return nn.Sequential.updateOutput(self, input) end
   m:forward(x)
end
function A.graphs()
   local g = graph()
   g:forward(x)
   g:backward(x, x)
   g = g:clone()
   g:forward(x)
end
function A.sequences()
   local s, inputs = nn.Sequencer(nn.FastLSTM(20, 20)), steps(5, 4)
   s:backward(inputs, s:forward(inputs))
   local others = steps(torch.random(1, 12), torch.random(1, 8))
   sequencer:backward(others, sequencer:forward(others))
end
function A.steps()
   local m = nn.Recursor(nn.Linear(20, 20))
   for i = 1, 4 do m:forward(torch.randn(3, 20)) end
   m:forget()
   m = nn.SeqLSTM(20, 20)
   m:forward(torch.randn(4, 3, 20))
   m:backward(torch.randn(4, 3, 20), torch.randn(4, 3, 20))
end
function A.adam()
   local p, g = net():getParameters()
   local state = {}
   for i = 1, 3 do optim.adam(function() g:fill(1) return 1, g end, p, state) end
end
function A.lbfgs()
   local p, g = nn.Linear(20, 20):getParameters()
   optim.lbfgs(function() g:copy(p) return p:norm(), g end, p, {maxIter = 5})
end
function A.types()
   local m = net()
   m:float()
   m:double()
   m:forward(x)
end
function A.files()
   torch.save(path, net())
   torch.load(path):forward(x)
   torch.save(path, {x, {a = x:clone()}, function() return x end})
   torch.load(path)
   local f = torch.MemoryFile()
   f:writeObject(x)
   f:seek(1)
   f:readObject()
   f:close()
   f = torch.DiskFile(path, 'w')
   f:writeDouble(x:storage())
   f:close()
   torch.deserialize(torch.serialize(torch.randn(100)))
end
function A.checkpoints()
   torch.save(path, {model = net(), optimizer = {a = x:clone()}})
   torch.save(path, torch.load(path).model:clone():float():clearState())
end
function A.views()
   local y = torch.randn(20, 20)
   for i = 1, 20 do y[i]:narrow(1, 1, 10):view(2, 5):add(1) end
   y:sort(2)
   y[1]:topk(3)
   y:apply(function(v) return v * 2 end)
   torch.Tensor(torch.DoubleStorage(1000):fill(1))
end
function A.tables()
   local m = nn.ParallelTable():add(nn.Linear(20, 10)):add(nn.Identity())
   m:forward({x, x})
   m:backward({x, x}, {torch.randn(10, 10), x})
   nn.MapTable(nn.Linear(20, 10)):forward({x, x, x})
end
function A.criterions()
   local c, target = nn.CrossEntropyCriterion(), torch.Tensor(10):random(1, 20)
   c:forward(x, target)
   c:backward(x, target)
   c:clone():forward(x, target)
end
function A.shared()
   local m = net()
   m:sharedClone():forward(x)
   m:clone('weight', 'bias'):forward(x)
   m:share(net(), 'weight', 'bias')
   m:replace(function(k) return k end):forward(x)
end
function A.text() return tostring(torch.randn(30, 30)) .. tostring(net()) end
function A.closures()
   local y = torch.randn(20, 20)
   local t = {f = function() return y:sum() end, y = y}
   t.t = t
   t.f()
end
function A.confusion()
   local c = optim.ConfusionMatrix(10)
   c:batchAdd(torch.randn(20, 10), torch.Tensor(20):random(1, 10))
   c:updateValids()
   tostring(c)
end
function A.fields()
   local m = net()
   m.my = {x, m, function() return m end}
   m.other = nn.Linear(5, 5)
   m:forward(x)
   m:training()
   m:evaluate()
   for _ in pairs(m) do end
   for _, k in ipairs(m:listModules()) do k.extra = k.weight end
   m:findModules('nn.Linear')
end
function A.dropout()
   local m = nn.Sequential():add(nn.Dropout(0.5)):add(nn.Linear(20, 20))
   m:forward(x)
   m:clearState()
end
function A.jacobian() nn.Jacobian.testJacobian(nn.Linear(3, 2), torch.randn(2, 3)) end
function A.reinforce()
   local m = nn.Sequential():add(nn.Linear(20, 5)):add(nn.ReinforceNormal(0.1))
   m:forward(x)
   m:reinforce(torch.randn(10))
   m:backward(x, torch.zeros(10, 5))
end
function A.chunks()
   loadstring('return function(a) return a + 1 end')()(1)
   local file = io.open(path, 'w')
   file:write('return torch.randn(20, 20)')
   file:close()
   dofile(path)
end

local names = {}
for name in pairs(A) do names[#names + 1] = name end
table.sort(names)
function actions() return names end
function act(name, times)
   for i = 1, times do A[name]() end
   for i = 1, 3 do collectgarbage() end
end
function finish() os.remove(path) end
