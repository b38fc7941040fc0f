-- Graphs whose parts and sizes are in globals of the program, and in loops among its other statements.
require 'nn'
require 'nngraph'
torch.manualSeed(4)
opt = {}
opt.hidden = 6
local extra = 2
local x = torch.randn(4, 5)

local function gate(node, n) return nn.Sigmoid()(nn.Linear(n, opt.hidden)(node)) end

local input = nn.Identity()()
local one, two = gate(input, 5), gate(input, 5)
local out = nn.CMulTable()({one, two})
local model = nn.gModule({input}, {nn.Linear(6, extra)(out)})
print(model:forward(x):norm())

function create(n)
   local i = nn.Identity()()
   local h = i
   for k = 1, n do h = gate(h, k == 1 and 5 or opt.hidden) end
   return nn.gModule({i}, {nn.Linear(opt.hidden, extra)(h)})
end
print(create(2):forward(x):norm())

-- a list of nodes
local source = nn.Identity()()
local gates = {}
for i = 1, 2 do
   gates[i] = nn.Sigmoid()(nn.Linear(5, opt.hidden)(source))
end
local both = nn.gModule({source}, {nn.Linear(6, 1)(nn.CMulTable()({gates[1], gates[2]}))})
print(both:forward(x):norm())

-- a loop whose variable nobody reads
local start = nn.Identity()()
local last = nn.Linear(5, 6)(start)
for i = 1, 2 do
   last = nn.Tanh()(nn.Linear(6, 6)(last)) -- one more
end
local deep = nn.gModule({start}, {last})
print(deep:forward(x):norm())

-- a part whose inner function alone reads the global and a local, in a graph that reads neither
local wide = 3
local function cell(node)
   local function sum() return nn.CAddTable()({nn.Linear(5, wide)(node), nn.Linear(5, opt.hidden / 2)(node)}) end
   return nn.CMulTable()({nn.Sigmoid()(sum()), nn.Tanh()(sum())})
end
local function made()
   local i = nn.Identity()()
   local h = cell(i)
   return nn.gModule({i}, {h})
end
print(made():forward(x):norm())
