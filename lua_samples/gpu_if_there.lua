-- A program that computes on a GPU where there is one, asked as most programs of the time asked: with pcall.
-- It counts the ones in a row of bits, as a class, and says what it computes with.
--
--    gpu_if_there.lua [-gpuid N] [-iterations N]
--
--    torch7py run gpu_if_there.lua                    falls back to the CPU
--    torch7py run --device cuda gpu_if_there.lua      computes on the GPU
--    torch7py run --cuda-as cpu gpu_if_there.lua      goes the way of the GPU, on the CPU
require 'nn'
require 'optim'

local cmd = torch.CmdLine()
cmd:option('-gpuid', 0, 'which GPU to use, from 0; -1 for the CPU')
cmd:option('-iterations', 150, 'steps of training')
cmd:option('-seed', 3, 'seed of the random numbers')
opt = cmd:parse(arg)

torch.manualSeed(opt.seed)
torch.setdefaulttensortype('torch.FloatTensor')

if opt.gpuid >= 0 then
   local has_cunn = pcall(require, 'cunn')
   local has_cutorch = pcall(require, 'cutorch')
   if has_cunn and has_cutorch then
      cutorch.setDevice(opt.gpuid + 1)     -- GPUs count from 1
      cutorch.manualSeed(opt.seed)
   else
      print('cunn and cutorch are not there: computing on the CPU')
      opt.gpuid = -1
   end
end
local function place(x) return opt.gpuid >= 0 and x:cuda() or x end

-- every row of four bits, and how many of them are ones, from 1
local bits = torch.Tensor(16, 4)
for row = 1, 16 do
   for column = 1, 4 do bits[row][column] = math.floor((row - 1) / 2 ^ (column - 1)) % 2 end
end
local inputs, targets = place(bits), place(bits:sum(2):view(-1):add(1))

model = place(nn.Sequential():add(nn.Linear(4, 20)):add(nn.Tanh()):add(nn.Linear(20, 5)):add(nn.LogSoftMax()))
local criterion = place(nn.ClassNLLCriterion())
local weights, gradients = model:getParameters()
print('weights: ' .. torch.type(weights) .. ', loss: ' .. torch.type(criterion.gradInput))

local function feval()
   gradients:zero()
   local loss = criterion:forward(model:forward(inputs), targets)
   model:backward(inputs, criterion:backward(model.output, targets))
   return loss, gradients
end

local state = {learningRate = 0.03}
for i = 1, opt.iterations do
   local _, loss = optim.adam(feval, weights, state)
   if i % 50 == 0 then print(('iteration %3d: loss %.2f'):format(i, loss[1])) end
end

if opt.gpuid >= 0 then cutorch.synchronize() end
local _, counted = model:forward(inputs):max(2)
print(counted:typeAs(targets):eq(targets):sum() .. ' of 16 rows counted right')
