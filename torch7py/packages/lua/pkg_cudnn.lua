-- cudnn: settings without effect, layers that are missing, conversion of models.
--
-- Arguments: core {fail}, host, cudnn, chunk.

local core, _, cudnn = ...
local fail, rawget, rawset, setmetatable, next, ipairs = core.fail, rawget, rawset, setmetatable, next, ipairs

-- What programs set, and PyTorch decides by itself.
cudnn.benchmark, cudnn.fastest, cudnn.verbose, cudnn.useFindEx = false, false, false, false
cudnn.version = 5110   -- the last that the original was made for
function cudnn.reset() end

local missing, convert_layer = cudnn.__missing(), cudnn.__converted
cudnn.__missing, cudnn.__converted = nil, nil

for name, reason in next, missing do
   local function refuse() fail('cudnn.%s is not supported: %s', name, reason) end
   cudnn[name] = setmetatable({}, {__call = refuse})
end

for _, name in ipairs {'getHandle', 'errcheck', 'call', 'toDescriptor', 'createDescriptors', 'getSharedWorkspace',
                       'setConvolutionDescriptor', 'setFilterDescriptor', 'find', 'scalar', 'sizeof'} do
   cudnn[name] = function() fail("cudnn.%s: cuDNN's own functions are not to be had here", name) end
end

-- cudnn.convert(model, cudnn or nn[, exclude]): layers of the one in place of those of the other, with their
-- parameters; those for which exclude(layer) is true stay. Returns the model.
function cudnn.convert(model, target, exclude)
   local name = target == nn and 'nn' or 'cudnn'
   return model:replace(function(m)
      if exclude and exclude(m) then return m end
      local made = convert_layer(m, name)
      if made == nil then return m end
      for key, value in next, m do
         if rawget(made, key) == nil then rawset(made, key, value) end
      end
      return made
   end)
end
