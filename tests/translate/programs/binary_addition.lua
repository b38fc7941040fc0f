require 'nn'
require 'rnn'
-- Adding up two binary numbers with a recurrent network
torch.manualSeed(3)
local bits, hidden, batch = 6, 16, 20

local function tobits(n)
   local t = {}
   for i = 1, bits do
      t[i] = n % 2
      n = math.floor(n / 2)
   end
   return t
end

local function sample()
   local input, target = {}, {}
   for t = 1, bits do
      input[t] = torch.Tensor(batch, 2)
      target[t] = torch.Tensor(batch, 1)
   end
   for b = 1, batch do
      local a = torch.random(0, 2^(bits - 1) - 1)
      local c = torch.random(0, 2^(bits - 1) - 1)
      local x, y, z = tobits(a), tobits(c), tobits(a + c)
      for t = 1, bits do
         input[t][b][1], input[t][b][2] = x[t], y[t]
         target[t][b][1] = z[t]
      end
   end
   return input, target
end

local step = nn.Sequential()
   :add(nn.FastLSTM(2, hidden))
   :add(nn.Linear(hidden, 1))
   :add(nn.Sigmoid())
local net = nn.Sequencer(step)
local criterion = nn.SequencerCriterion(nn.BCECriterion())
net:training()

local lr = 0.5
local smooth
for i = 1, 60 do
   local input, target = sample()
   local output = net:forward(input)
   local err = criterion:forward(output, target) / bits
   smooth = smooth and 0.9 * smooth + 0.1 * err or err
   net:zeroGradParameters()
   net:backward(input, criterion:backward(output, target))
   local norm = net:gradParamClip(0.1)
   if i % 30 == 0 then print(norm) end
   net:updateParameters(lr)
   if i % 20 == 0 then
      local wrong = 0
      for t = 1, bits do
         wrong = wrong + output[t]:gt(0.5):typeAs(target[t]):ne(target[t]):sum()
      end
      print(i, string.format('%.5f', smooth), wrong .. ' of ' .. bits * batch .. ' wrong')
      lr = lr * 0.8
   end
end

net:evaluate()
net:forget()
local input, target = sample()
local output = net:forward(input)
local digits = {}
for t = bits, 1, -1 do
   digits[#digits + 1] = output[t][1][1] > 0.5 and '1' or '0'
end
print(table.concat(digits))
torch.save('adder.t7', net)
