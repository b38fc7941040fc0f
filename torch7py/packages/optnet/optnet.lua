-- optnet: less memory for a network. Here each module's results have separate memory, and none is shared; the other
-- visible effects are the same: the passes on the sample, layers in place, gradients that are given up.
--
-- Arguments: core {fail}, host, optnet.

local core, _, optnet = ...
local fail = core.fail
local torch, type, ipairs, pairs = torch, type, ipairs, pairs

local function setting(options, name, default)
   local value = options[name]
   if value == nil then return default end
   return value
end

local function copied(value)
   if torch.isTensor(value) then return value:clone() end
   local copy = {}
   for i, one in ipairs(value) do copy[i] = copied(one) end
   return copy
end

-- optnet.optimizeMemory(net, sample[, {mode = 'inference' or 'training', inplace, reuseBuffers, removeGradParams}])
function optnet.optimizeMemory(net, sample, options)
   options = options or {}
   if net.__memoryOptimized then
      print(
         'Skipping memory optimization. Network is already optimized for ' .. net.__memoryOptimized .. ' mode.'
      )
      return
   end
   local mode = setting(options, 'mode', 'inference')
   local training = mode == 'training'
   -- Once to have all tensors, in a second pass it looked who uses them: dropout draws twice, statistics move twice.
   for pass = 1, 2 do
      local output = net:forward(sample)
      if training then net:backward(sample, copied(output)) end
      if pass == 1 then
         if setting(options, 'inplace', true) then
            net:apply(function(module)
               if module.inplace ~= nil and torch.typename(module) ~= 'nn.Threshold' then module.inplace = true end
            end)
         end
         if not training and setting(options, 'removeGradParams', true) then
            local kept = {}
            net:apply(function(module)
               for _, name in ipairs {'gradWeight', 'gradBias'} do
                  local gradient = module[name]
                  if gradient and gradient:storage() then
                     kept[#kept + 1] = {gradient, gradient:storage(), gradient:storageOffset(), gradient:size(), gradient:stride()}
                     gradient:set()
                  end
               end
               module.getParameters = function()
                  error(
                     'getParameters was disabled by optnet (by option removeGradParams=true). '
                        .. 'Call optnet.removeOptimization(net) to enable it back.'
                  )
               end
            end)
            net.__gradParamsInfo = kept
         end
      end
   end
   if not training then
      net:apply(function(module)
         module.updateGradInput = function()
            error(
               'Backward pass disabled! You are using inference optimization. '
                  .. 'Call optnet.removeOptimization(net) to enable backward again'
            )
         end
      end)
   end
   net.__memoryOptimized = mode
end

function optnet.removeOptimization(net)
   if not net.__memoryOptimized then
      print 'Skipping memory optimization removal, as the network was not optimized.'
      return
   end
   local function emptied(value)
      if torch.isTensor(value) then
         value:set()
      elseif type(value) == 'table' then
         for _, one in ipairs(value) do emptied(one) end
      end
   end
   net:apply(function(module)
      emptied(module.output)
      emptied(module.gradInput)
      module.updateGradInput = nil
   end)
   if net.__gradParamsInfo then
      for _, entry in ipairs(net.__gradParamsInfo) do
         entry[1]:set(entry[2], entry[3], entry[4], entry[5])
      end
      net:apply(function(module) module.getParameters = nil end)
      net.__gradParamsInfo = nil
   end
   net.__memoryOptimized = nil
end

-- Bytes of the storages behind a network's tensors, each counted once among those of its kind.
function optnet.countUsedMemory(net)
   local kinds = {weight = 'params', bias = 'params', gradWeight = 'params', gradBias = 'params'}
   kinds.output, kinds.gradInput = 'outputs', 'gradInputs'
   local seen = {outputs = {}, buffers = {}, params = {}, gradInputs = {}}
   local sizes = {outputs = 0, buffers = 0, params = 0, gradInputs = 0, total_size = 0}
   local function count(value, kind)
      if torch.isTensor(value) then
         local storage = value:storage()
         if storage and not seen[kind][torch.pointer(storage)] then
            seen[kind][torch.pointer(storage)] = true
            local bytes = storage:size() * value:elementSize()
            sizes[kind], sizes.total_size = sizes[kind] + bytes, sizes.total_size + bytes
         end
      elseif torch.type(value) == 'table' then
         for _, one in ipairs(value) do count(one, kind) end
      end
   end
   net:apply(function(module)
      for name, value in pairs(module) do
         local kind = kinds[name]
         if kind then
            count(value, kind)
         elseif torch.isTensor(value) then
            count(value, 'buffers')
         end
      end
   end)
   return sizes
end
