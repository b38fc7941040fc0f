-- inn.utils: batch normalizations that have learned become numbers of the layers before them, or constants.
--
-- Arguments: core {fail}. Result: the package.

local core = ...
local torch, inn, ipairs, pairs = torch, inn, ipairs, pairs
local utils = {}

-- The layers that can absorb a batch normalization.
local FOLDED = {
   ['nn.SpatialBatchNormalization'] = 'nn.SpatialConvolution',
   ['nn.BatchNormalization'] = 'nn.Linear',
   ['nn.VolumetricBatchNormalization'] = 'nn.VolumetricConvolution',
}
local KINDS = {'nn.SpatialBatchNormalization', 'nn.VolumetricBatchNormalization', 'nn.BatchNormalization',
               'cudnn.SpatialBatchNormalization', 'cudnn.VolumetricBatchNormalization', 'cudnn.BatchNormalization'}

local function inverse_deviation(norm)
   if norm.running_var then return (norm.running_var + norm.eps):pow(-0.5) end
   return norm.running_std
end

-- y = (W x + b - mean) / deviation * w + v as one layer.
local function fold(layer, norm)
   local outputs = layer.weight:size(1)
   local weight, factor = layer.weight:view(outputs, -1), inverse_deviation(norm)
   if not layer.bias then
      layer.bias = norm.running_mean:clone():zero()
      layer.gradBias = layer.bias:clone()
   end
   layer.bias:add(-1, norm.running_mean):cmul(factor)
   if norm.affine then
      factor = torch.cmul(factor, norm.weight)
      layer.bias:cmul(norm.weight):add(norm.bias)
   end
   weight:cmul(factor:view(outputs, 1):expandAs(weight))
   if layer.resetWeightDescriptors then layer:resetWeightDescriptors() end
end

local function starts(name, with) return with and name:find(with, 1, true) end

local function fold_all(net)
   local i = 1
   while i <= #net.modules do
      local norm, before = net.modules[i], net.modules[i - 1]
      local folded = false
      if norm.modules then
         fold_all(norm)
      elseif before then
         local name = torch.typename(norm)
         for kind, layer in pairs(FOLDED) do
            if starts(name, kind) and starts(torch.typename(before), layer) then folded = true end
         end
      end
      if folded then
         fold(before, norm)
         net:remove(i)
      else
         i = i + 1
      end
   end
end

-- utils.foldBatchNorm(net): in place; prints those that have no such layer in front of them.
function utils.foldBatchNorm(net)
   fold_all(net)
   for _, kind in ipairs(KINDS) do
      local left = net:findModules(kind)
      if #left > 0 then print('Not folded:', left) end
   end
end

-- utils.BNtoFixed(net[, inplace]): the net with an inn.ConstAffine instead of each.
function utils.BNtoFixed(net, inplace)
   local function replaced(module)
      if not torch.typename(module):find 'BatchNormalization' then return module end
      if not module.running_var or module.running_std then
         core.fail 'inn.utils.BNtoFixed: a batch normalization with running_var expected'
      end
      local layer = inn.ConstAffine(module.running_mean:nElement(), inplace):type(module.running_mean:type())
      local factor = module.running_var:double():add(module.eps):pow(-0.5)
      layer.a:copy(factor)
      layer.b:copy(-module.running_mean:double():cmul(factor))
      if module.affine then
         layer.a:cmul(module.weight)
         layer.b:cmul(module.weight):add(module.bias)
      end
      return layer
   end
   return net:replace(replaced)
end

-- utils.testSurgery(input, f, net, ...): the largest change of the output by f(net, ...).
function utils.testSurgery(input, f, net, ...)
   local before = net:forward(input):clone()
   f(net, ...)
   return (before - net:forward(input)):abs():max()
end

return utils
