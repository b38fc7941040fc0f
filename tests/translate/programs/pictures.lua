-- Pictures are scaled, cut and mirrored before a network with an Inception block sees them.
require 'nn'
require 'optim'
require 'image'
require 'paths'
torch.manualSeed(9)

local regimes = {
   -- from, to, rate, decay
   {1, 2, 1e-1, 5e-4},
   {3, 4, 5e-2, 0},
}

local function regime(epoch)
   for _, row in ipairs(regimes) do
      if epoch >= row[1] and epoch <= row[2] then
         return {rate = row[3], decay = row[4]}, epoch == row[1]
      end
   end
end

local function inception(planes, sizes)
   local concat = nn.Concat(2)
   if sizes[1] ~= 0 then
      concat:add(nn.Sequential():add(nn.SpatialConvolution(planes, sizes[1], 1, 1)):add(nn.ReLU(true)))
   end
   local wide = nn.Sequential()
   wide:add(nn.SpatialConvolution(planes, sizes[2][1], 1, 1)):add(nn.ReLU(true))
   wide:add(nn.SpatialConvolution(sizes[2][1], sizes[2][2], 3, 3, 1, 1, 1, 1)):add(nn.ReLU(true))
   return concat:add(wide)
end

local model = nn.Sequential()
model:add(nn.SpatialConvolution(3, 4, 5, 5, 1, 1, 2, 2)):add(nn.ReLU(true))
model:add(nn.SpatialMaxPooling(3, 3, 2, 2):ceil())
model:add(inception(4, {3, {3, 4}}))
model:add(inception(7, {0, {4, 5}}))
model:add(nn.View(5 * 4 * 4):setNumInputDims(3))
model:add(nn.Linear(5 * 4 * 4, 3)):add(nn.LogSoftMax())

-- pictures of any size: the shorter ones grow, the longer ones shrink
local load, sample = {3, 12, 11}, {3, 8, 8}
local pictures, labels = {}, {}
for i = 1, 12 do
   labels[i] = (i - 1) % 3 + 1
   local picture = image.scale(torch.rand(3, 6 + i, 8 + i), load[3], load[2])
   picture[labels[i]]:mul(2)
   pictures[i] = picture
end
local thumb = image.scale(pictures[1], 6, 5, 'bilinear')
print(thumb:size(1), thumb:size(2), thumb:size(3), thumb:mean(), thumb[1][1][1], thumb[2][5][6])
print(image.scale(pictures[2][1], 30, 12):std())

-- a part at random, and perhaps its mirror image
local function varied(picture)
   local tall, wide = sample[2], sample[3]
   local top = math.ceil(torch.uniform(1e-2, picture:size(2) - tall))
   local left = math.ceil(torch.uniform(1e-2, picture:size(3) - wide))
   local part = image.crop(picture, left, top, left + wide, top + tall)
   assert(part:size(2) == tall)
   if torch.uniform() > 0.5 then part = image.hflip(part) end
   return part
end

local function normalized(picture, mean, std)
   for c = 1, 3 do picture[c]:add(-mean[c]):div(std[c]) end
   return picture
end

local mean, std = {}, {}
for c = 1, 3 do
   mean[c], std[c] = 0, 0
   for i = 1, #pictures do
      mean[c] = mean[c] + pictures[i][c]:mean() / #pictures
      std[c] = std[c] + pictures[i][c]:std() / #pictures
   end
end

local criterion = nn.ClassNLLCriterion()
local weights, gradients = model:getParameters()
local state
for epoch = 1, 4 do
   local params, new = regime(epoch)
   if new then
      state = {learningRate = params.rate, momentum = 0.9, dampening = 0, weightDecay = params.decay}
   end
   local inputs = torch.Tensor(#pictures, unpack(sample))
   for i, picture in ipairs(pictures) do
      inputs[i]:copy(normalized(varied(picture), mean, std))
   end
   local targets = torch.Tensor(labels)
   local function feval()
      gradients:zero()
      local outputs = model:forward(inputs)
      local loss = criterion:forward(outputs, targets)
      model:backward(inputs, criterion:backward(outputs, targets))
      return loss, gradients
   end
   local _, loss = optim.sgd(feval, weights, state)
   local right = 0
   for i = 1, #pictures do
      local centre = normalized(image.crop(pictures[i], 'c', 8, 8), mean, std)
      local _, guess = model:forward(image.vflip(centre):view(1, 3, 8, 8)):max(2)
      if guess[1][1] == labels[i] then right = right + 1 end
   end
   print(('epoch %d: loss %.6f, %d right'):format(epoch, loss[1], right))
end
-- what was cut out is not the picture itself
print(pictures[1]:min() >= 0, pictures[12]:mean())

print(paths.dirname('pictures.t7'), paths.dirname('kept/pictures.t7'))
local folder = paths.concat('kept', 'models')
if not paths.dirp(folder) and not paths.mkdir(folder) then error('no place for the model') end
print('model goes to ' .. paths.concat(folder, 'pictures.t7'), paths.dirp(folder), paths.mkdir(folder) == true)
