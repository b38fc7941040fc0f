require 'nn'
local cmd = torch.CmdLine()
cmd:option('-type', 'double', 'cuda | float | double')
cmd:option('-data_type', 'torch.DoubleTensor', 'a type')
local opt = cmd:parse(arg)
torch.manualSeed(1)
-- what a program of many backends has
local function place(t)
   if opt.type == 'cuda' then
      require 'cunn'
      return t:cuda()
   elseif opt.type == 'float' then
      return t:float()
   elseif opt.type == 'double' then
      return t:double()
   elseif opt.type == 'cl' then
      require 'clnn'
      return t:cl()
   else
      error('no such type: '..opt.type)
   end
end
local function as_named(x) return x:type(opt.data_type) end
local net = place(nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()))
local criterion = place(nn.MSECriterion())
local x, y = place(torch.randn(4, 3)), place(torch.randn(4, 2))
for i = 1, 3 do
   local loss = criterion:forward(net:forward(x), y)
   net:zeroGradParameters()
   net:backward(x, criterion:backward(net.output, y))
   net:updateParameters(0.1)
   print(('%.4f'):format(loss))
end
local other, crit = as_named(nn.Linear(3, 2)), as_named(nn.MSECriterion())
print(crit:forward(other:forward(as_named(x)), as_named(y)))
