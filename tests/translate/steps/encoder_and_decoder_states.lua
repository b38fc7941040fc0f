require 'nn'
require 'optim'
torch.manualSeed(7)
-- an encoder and a decoder in flat vectors of their own
local enc = nn.Sequential():add(nn.Linear(5, 3)):add(nn.Tanh())
local dec = nn.Sequential():add(nn.Linear(3, 5))
local encW, encG = enc:getParameters()
local decW, decG = dec:getParameters()
local encState, decState = {learningRate = 0.1}, {learningRate = 0.2, momentum = 0.9}
local mse = nn.MSECriterion()
local x = torch.randn(9, 5)
for i = 1, 5 do
  local function fDec() return mse.output, decG end
  local function fEnc() return mse.output, encG end
  encG:zero() decG:zero()
  local code = enc:forward(x)
  local out = dec:forward(code)
  local loss = mse:forward(out, x)
  local dcode = dec:backward(code, mse:backward(out, x))
  enc:backward(x, dcode)
  optim.sgd(fEnc, encW, encState)
  optim.sgd(fDec, decW, decState)
  print(i, loss)
end
