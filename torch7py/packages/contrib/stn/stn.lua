-- stn: the functions under the sampler, as fields of the tensors' types.
--
-- Arguments: core, host, stn.

local _, _, stn = ...
local torch = torch
local output, gradients = stn._output, stn._gradients
stn._output, stn._gradients = nil, nil

rawset(_G, 'stn', {})   -- where the original's tests have them

for _, name in ipairs {'Double', 'Float', 'Cuda'} do
   local mt = torch.getmetatable('torch.' .. name .. 'Tensor')
   if mt then
      mt.nn = mt.nn or {}
      function mt.nn.BilinearSamplerBHWD_updateOutput(_, images, grids, result)
         output(images, grids, result)
         return 1
      end
      function mt.nn.BilinearSamplerBHWD_updateGradInput(_, images, grids, of_images, of_grids, gradient)
         gradients(images, grids, of_images, of_grids, gradient)
         return 1
      end
   end
end
