-- A program with options: fits a line through noisy points, with a validation set, and keeps the best model.
--
--    options.lua -help
--    options.lua -lr 0.5 -iterations 50 -type float
require 'nn'

local cmd = torch.CmdLine()
cmd:text()
cmd:text('Fits a line through noisy points')
cmd:text()
cmd:text('Options')
cmd:option('-seed', 1, 'of the random numbers')
cmd:option('-points', 50, 'how many to fit')
cmd:option('-noise', 0.1, 'standard deviation of their noise')
cmd:option('-lr', 0.2, 'learning rate')
cmd:option('-iterations', 100, 'how many steps')
cmd:option('-type', 'double', 'of the numbers: double | float')
cmd:option('-quiet', false, 'say only the result')
cmd:text()
opt = cmd:parse(arg or {})                -- a table with a value for each option

torch.manualSeed(opt.seed)
if opt.type == 'float' then
   torch.setdefaulttensortype('torch.FloatTensor')
elseif opt.type ~= 'double' then
   cmd:error('-type must be double or float')
end

-- A name for the run that says which options differ from their defaults; cmd:string prints each of them, too.
print('run: ' .. cmd:string('line', opt, {}))

-- y = 3x - 1 + noise
local function makePoints(n)
   local x = torch.Tensor(n, 1):uniform(-1, 1)
   local y = x * 3 - 1 + torch.randn(n, 1) * opt.noise
   return x, y
end
x, y = makePoints(opt.points)
local checkX, checkY = makePoints(20)

model = nn.Linear(1, 1)
local criterion = nn.MSECriterion()
local best, bestLoss                      -- where a longer training would write checkpoints

for i = 1, opt.iterations do
   local prediction = model:forward(x)
   local loss = criterion:forward(prediction, y)
   model:zeroGradParameters()
   model:backward(x, criterion:backward(prediction, y))
   model:updateParameters(opt.lr)

   local checkLoss = criterion:forward(model:forward(checkX), checkY)
   if not best or checkLoss < bestLoss then
      best, bestLoss = model:clone(), checkLoss
   end
   if not opt.quiet and i % math.ceil(opt.iterations / 4) == 0 then
      print(string.format('iteration %d: loss %.6f, on the other points %.6f', i, loss, checkLoss))
   end
end

print(string.format('last: y = %.6f x + %.6f', model.weight[1][1], model.bias[1]))
print(string.format('best: y = %.6f x + %.6f', best.weight[1][1], best.bias[1]))
