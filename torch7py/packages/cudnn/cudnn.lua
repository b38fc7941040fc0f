-- cudnn: settings without effect, layers that are missing, conversion of models.
--
-- Arguments: core {fail, native_next}, host, cudnn, chunk.

local core, _, cudnn = ...
local fail, rawget, rawset, setmetatable, next, ipairs = core.fail, rawget, rawset, setmetatable, next, ipairs
local type, tostring, torch, cutorch = type, tostring, torch, cutorch

-- Settings that have no effect: PyTorch decides by itself.
cudnn.benchmark, cudnn.fastest, cudnn.verbose, cudnn.useFindEx = false, false, false, false
cudnn.version = 5110   -- the last version that the original supports
function cudnn.reset() end

local missing, convert_layer = cudnn.__missing(), cudnn.__converted
cudnn.__missing, cudnn.__converted = nil, nil

for name, reason in next, missing do
   local function refuse() fail('cudnn.%s is not supported: %s', name, reason) end
   cudnn[name] = setmetatable({}, {__call = refuse})
end

for _, name in ipairs {'errcheck', 'call', 'toDescriptor', 'createDescriptors', 'getSharedWorkspace',
                       'setConvolutionDescriptor', 'setFilterDescriptor', 'scalar'} do
   cudnn[name] = function() fail("cudnn.%s: cuDNN's own functions are not to be had here", name) end
end

cudnn.C = setmetatable({   -- the version of the installed library
   CUDNN_POOLING_MAX = 0,
   CUDNN_POOLING_AVERAGE = 1,
   CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING = 1,
   CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING = 2,
}, {__index = function(_, name) fail("cudnn.C.%s: cuDNN's own functions are not to be had here", tostring(name)) end})

-- The first argument of cudnn.functional: one handle for all devices, which is ignored.
local handle = setmetatable({}, {__tostring = function() return 'cuDNN handle' end, __metatable = false})
function cudnn.getHandle() return handle end

-- cudnn.functional: the functions that Python has for it (functional.py).
cudnn.functional = {}
local prefix = '__(%w+_%w+)$'
for key, f in next, cudnn do
   local name = type(key) == 'string' and key:match('^' .. prefix)
   if name then cudnn.functional[name] = f end
end
for name in next, cudnn.functional do cudnn['__' .. name] = nil end

-- The choice of algorithms, which is PyTorch's.
cudnn.find = {verbose = false, verboseError = true, verboseFallback = true, reset = function() end}
for _, name in ipairs {'get', 'lookup', 'store', 'setupAlgo', 'prepare', 'forwardAlgorithm',
                       'backwardFilterAlgorithm', 'backwardDataAlgorithm', 'verboseCall', 'checkedCall'} do
   cudnn.find[name] = function() fail("cudnn.find.%s: cuDNN's own functions are not to be had here", name) end
end

---------------------------------------------------------------------------------------------------------
-- Types. In which one a program wants to compute is kept for it; half precision is computed in float.

cudnn.typemap = {}
local bytes, chosen = {}
for name, size in next, {Half = 2, [''] = 4, Double = 8} do
   local type_name = ('torch.Cuda%sTensor'):format(name)
   cudnn.typemap[type_name] = 'CUDNN_DATA_' .. (name == '' and 'FLOAT' or name:upper())
   bytes[type_name] = size
end

-- cudnn.sizeof(tensor): the bytes of an element.
function cudnn.sizeof(tensor) return bytes[torch.type(tensor)] end

-- cudnn.configureMath([overrides]): which type is computed in for each type of tensors; cudnn.configmap(type) says it.
function cudnn.configureMath(overrides)
   chosen = {}
   for name, computed in next, cudnn.typemap do chosen[name] = computed end
   if not cutorch.hasFastHalfInstructions() then chosen['torch.CudaHalfTensor'] = 'CUDNN_DATA_FLOAT' end
   for name, computed in next, overrides or {} do chosen[name] = computed end
end
function cudnn.configmap(name) return chosen[name] end
cudnn.configureMath()

-- cudnn.convert(model, cudnn or nn[, exclude]): replaces layers of one package by those of the other, with the same
-- parameters; layers for which exclude(layer) is true stay. Returns the model.
function cudnn.convert(model, target, exclude)
   local name = target == nn and 'nn' or 'cudnn'
   return model:replace(function(m)
      if exclude and exclude(m) then return m end
      local converted = convert_layer(m, name)
      if converted == nil then return m end
      for key, value in core.native_next, m do   -- fields of the program; the layer has the others already
         if rawget(converted, key) == nil then rawset(converted, key, value) end
      end
      return converted
   end)
end
