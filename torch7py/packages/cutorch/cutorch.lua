-- cutorch: the CUDA types, and the functions that need no Python.
--
-- Arguments: core {add_type, fail, method}, host, cutorch, chunk.

local core, _, cutorch = ...
local fail, rawset, select, unpack, pcall, error = core.fail, rawset, select, unpack, pcall, error
local registered = torch.getmetatable

---------------------------------------------------------------------------------------------------------
-- Types and methods

local listed = cutorch.__types()
cutorch.__types = nil

local host_types, cuda_types = {}, {}
for _, t in ipairs(listed) do
   local name, code, ctype, size, host_name = unpack(t)
   core.add_type({name, code, ctype, size}, host_name)
   host_types[#host_types + 1], cuda_types[#cuda_types + 1] = host_name, name
end

local get_device, copy_async = core.method('cutorch.getDevice'), core.method('cutorch.copyAsync')
for _, names in ipairs {host_types, cuda_types} do
   for _, name in ipairs(names) do
      local mt = registered('torch.' .. name .. 'Tensor')
      for _, t in ipairs(listed) do rawset(mt, t[6], core.method('cutorch.' .. t[6])) end
      rawset(mt, 'copyAsync', copy_async)
      if names == cuda_types then
         rawset(mt, 'getDevice', get_device)
         rawset(registered('torch.' .. name .. 'Storage'), 'getDevice', get_device)
      end
   end
end

---------------------------------------------------------------------------------------------------------
-- Functions

cutorch.hasHalf = true
cutorch.magma = true

-- cutorch.withDevice(device, f): the result of f(), called with another current device.
function cutorch.withDevice(device, f)
   if f == nil then error('cutorch.withDevice: the function to call is missing', 2) end
   local before = cutorch.getDevice()
   cutorch.setDevice(device)
   local function back(ok, ...)
      cutorch.setDevice(before)
      if not ok then error((...), 0) end
      return ...
   end
   return back(pcall(function() return select(1, f()) end))   -- no tail call: what cannot be called has a place
end

-- Pinned memory, for faster copies to a GPU; here memory like any other.
for _, name in ipairs {'Float', 'Double', 'Int', 'Long', 'Byte', 'Half'} do
   local make, empty = torch[name .. 'Tensor'], torch[name .. 'Storage']
   cutorch['createCudaHost' .. name .. 'Tensor'] = function(...)
      if select('#', ...) == 0 then return make(empty()) end   -- unlike another empty tensor it has a storage
      return make(...)
   end
end
cutorch.createCudaHostTensor = cutorch.createCudaHostFloatTensor

for _, name in ipairs {'createCudaUVATensor', 'createFloatUVATensor', 'toCudaUVATensor', 'toFloatUVATensor'} do
   cutorch[name] = function() fail('cutorch.%s: memory that CPU and GPU share is not supported', name) end
end
function cutorch.isManaged() return false end
function cutorch.isManagedPtr() return false end
function cutorch.getState() fail("cutorch.getState: there is no C structure of cutorch's here") end

-- Points in a stream. Everything is done in order, so a wait is over when it begins.
local Event = torch.class('cutorch.Event')
function Event:record() end
function Event:waitOn() end
