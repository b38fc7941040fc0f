-- fbcunn: the parameters of a model, device by device.
--
-- Arguments: core {fail}.

local core = ...
local torch, nn, pairs, ipairs = torch, nn, pairs, ipairs

-- m:getParametersByDevice(): two tables of flat tensors, parameters and gradients, by the number of the GPU; 0 is the CPU.
function nn.Module:getParametersByDevice()
   local parameters, gradients = self:parameters()
   local groups = {}
   for i, p in ipairs(parameters) do
      local device = torch.type(p):find 'Cuda' and p:getDevice() or 0
      local other = torch.type(gradients[i]):find 'Cuda' and gradients[i]:getDevice() or 0
      if device ~= other then core.fail('getParametersByDevice: parameter %d is on %d, its gradient on %d', i, device, other) end
      local group = groups[device] or {{}, {}}
      groups[device] = group
      group[1][#group[1] + 1], group[2][#group[2] + 1] = p, gradients[i]
   end
   local flat, flat_gradients = {}, {}
   for device, group in pairs(groups) do
      flat[device], flat_gradients[device] = nn.Module.flatten(group[1]), nn.Module.flatten(group[2])
   end
   return flat, flat_gradients
end
