-- The functions behind nn's layers: x.THNN.SoftMax_updateOutput(x:cdata(), y:cdata()).
--
-- Arguments: core {fail, behind}, host, the package's table, which has call and names of packages/nn/thnn.py.

local core, _, THNN = ...

local type, select, ipairs, rawset, setmetatable, unpack = type, select, ipairs, rawset, setmetatable, unpack
local torch, fail, behind = torch, core.fail, core.behind or {}
local call, names = THNN.call, THNN.names()
THNN.call, THNN.names = nil, nil

-- A tensor is passed as the pointer from x:cdata().
local function tensors(...)
   local arguments = {...}
   for i = 1, select('#', ...) do
      if type(arguments[i]) == 'cdata' then arguments[i] = behind[arguments[i]] or arguments[i] end
   end
   return unpack(arguments, 1, select('#', ...))
end

local function missing(_, name)
   if type(name) ~= 'string' then return nil end
   return function() fail('THNN.%s is not supported', name) end
end

local functions = setmetatable({}, {__index = missing})
for _, name in ipairs(names) do
   functions[name] = function(...) call(name, tensors(...)) end
end

-- One table for all types: a function looks at the tensors it gets.
THNN.kernels = {}
for _, name in ipairs {'Float', 'Double', 'Cuda', 'CudaDouble'} do
   local type_name = 'torch.' .. name .. 'Tensor'
   local mt = torch.getmetatable(type_name)
   THNN.kernels[type_name] = functions
   if mt then rawset(mt, 'THNN', functions) end
end

THNN.NULL = nil
function THNN.getState() return nil end
function THNN.optionalTensor(t) return t and t:cdata() or nil end

function THNN.runKernel(name, type_name, ...)
   local t = THNN.kernels[type_name]
   if not t then fail('THNN: there are no functions for a %s', type_name) end
   t[name](...)
end
