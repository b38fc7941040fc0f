-- networks whose dropouts are switched off for a measurement, and on again
local fast, accelerated = pcall(require, 'fbcunn')
if fast then
   Layer = accelerated.Layer
else
   require 'nn'
   Layer = nn.Linear
end
torch.manualSeed(4)

function all_dropouts_off(part)
   if type(part) == 'table' and part.__typename == nil then
      for i = 1, #part do part[i]:apply(all_dropouts_off) end
      return
   end
   if string.match(part.__typename, 'Dropout') then part.train = false end
end

local function all_dropouts_on(part)
   if type(part) == 'table' and torch.typename(part) == nil then
      for _, network in ipairs(part) do network:apply(all_dropouts_on) end
   elseif torch.type(part):find('Dropout') then
      part.train = true
   end
end

local function network(sizes)
   local made = nn.Sequential()
   made:add(Layer(sizes, 6)):add(nn.Tanh()):add(nn.Dropout(0.4)):add(Layer(6, 1))
   made:getParameters():uniform(-0.3, 0.3)
   return made
end

local networks = {network(3), network(3)}
local mse = nn.MSECriterion()
local x = torch.randn(8, 3)
local y = x:sum(2)
for turn = 1, 3 do
   for i = 1, #networks do
      local net = networks[i]
      net:zeroGradParameters()
      local guess = net:forward(x)
      local loss = mse:forward(guess, y)
      net:backward(x, mse:backward(guess, y))
      net:updateParameters(0.1)
      print(turn, i, loss)
   end
   all_dropouts_off(networks)
   local total = 0
   for i = 1, #networks do total = total + mse:forward(networks[i]:forward(x), y) end
   print(total, torch.round(100 * total), torch.round(-total * 10 - 0.5))
   all_dropouts_on(networks)
end
