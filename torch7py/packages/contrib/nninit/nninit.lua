-- nninit: initializations of the weights of a layer, and the method `init` of all modules, which applies one.
--
-- Arguments: core {fail}, host, nninit.

local core, _, nninit = ...
local fail = core.fail
local torch, nn, type, math = torch, nn, type, math

-- module:init(which, how, ...): fills a tensor of the module, and returns the module. The tensor is given by a field's
-- name, a field's name and an index into it, or a function of the module.
function nn.Module:init(which, how, ...)
   local tensor
   if type(which) == 'string' then
      tensor = self[which]
   elseif type(which) == 'table' then
      tensor = self[which[1]][which[2]]
   elseif type(which) == 'function' then
      tensor = which(self)
   else
      fail('init: the name of a field, a name with an index, or a function expected, not a %s', type(which))
   end
   if type(how) ~= 'function' then fail('init: a function that fills a tensor expected, not a %s', type(how)) end
   how(self, tensor, ...)
   return self
end

-- The fan-in and the fan-out.
local function fans(module)
   local name = torch.type(module)
   if name == 'nn.Linear' or name == 'nn.LinearNoBias' or name:find 'TemporalConvolution' then
      return module.weight:size(2), module.weight:size(1)
   end
   local window
   if name:find 'SpatialConvolution' then
      window = module.kW * module.kH
   elseif name:find 'VolumetricConvolution' then
      window = module.kT * module.kW * module.kH
   else
      fail("nninit: '%s' is not supported", name)
   end
   return module.nInputPlane * window, module.nOutputPlane * window
end

-- A number; 'relu', or {'lrelu', leakiness = x}; all else counts as 1.
local function gain_of(options)
   local gain = options and options.gain
   if type(gain) == 'number' then return gain end
   local name = gain
   if type(gain) == 'table' then name = gain[1] end
   if name == 'relu' then return math.sqrt(2) end
   if name == 'lrelu' then
      if type(gain) ~= 'table' or type(gain.leakiness) ~= 'number' then
         fail "nninit: the gain of 'lrelu' needs a leakiness: {'lrelu', leakiness = 0.1}"
      end
      return math.sqrt(2 / (1 + gain.leakiness ^ 2))
   end
   return 1
end

local function draw(tensor, deviation, kind)
   if kind == 'uniform' then
      local bound = deviation * math.sqrt(3)
      tensor:uniform(-bound, bound)
   elseif kind == 'normal' then
      tensor:normal(0, deviation)
   end -- another distribution left the tensor as it was
end

function nninit.copy(module, tensor, other)
   tensor:copy(other)
   return module
end

function nninit.constant(module, tensor, value)
   tensor:fill(value)
   return module
end

function nninit.addConstant(module, tensor, value)
   tensor:add(value)
   return module
end

function nninit.mulConstant(module, tensor, value)
   tensor:mul(value)
   return module
end

function nninit.normal(module, tensor, mean, deviation)
   tensor:normal(mean, deviation)
   return module
end

function nninit.addNormal(module, tensor, mean, deviation)
   tensor:add(torch.Tensor(tensor:size()):normal(mean, deviation))
   return module
end

function nninit.uniform(module, tensor, from, to)
   tensor:uniform(from, to)
   return module
end

function nninit.addUniform(module, tensor, from, to)
   tensor:add(torch.Tensor(tensor:size()):uniform(from, to))
   return module
end

-- The identity: of a linear layer the identity matrix; of a convolution the centre of each window, and the mean of the
-- planes. The original takes the weights' planes for planes of the input first, whatever their order.
function nninit.eye(module, tensor)
   if module.weight ~= tensor then fail "nninit.eye: only for the field 'weight'" end
   local name = torch.type(module)
   local function middle(size) return math.ceil(size / 2) end
   if name == 'nn.Linear' or name == 'nn.LinearNoBias' then
      tensor:copy(torch.eye(tensor:size(1), tensor:size(2)))
   elseif name:find 'TemporalConvolution' then
      tensor:zero()
      for i = 1, module.inputFrameSize do
         tensor[{{}, {(i - 1) * module.kW + middle(module.kW)}}]:fill(1 / module.inputFrameSize)
      end
   elseif name:find 'SpatialConvolution' then
      tensor:zero():view(module.nInputPlane, module.nOutputPlane, module.kW, module.kH)[{
         {}, {}, middle(module.kW), middle(module.kH),
      }]:fill(1 / module.nInputPlane)
   elseif name:find 'VolumetricConvolution' then
      tensor:zero():view(module.nInputPlane, module.nOutputPlane, module.kT, module.kW, module.kH)[{
         {}, {}, middle(module.kT), middle(module.kW), middle(module.kH),
      }]:fill(1 / module.nInputPlane)
   else
      fail("nninit: '%s' is not supported", name)
   end
   return module
end

-- Glorot and Bengio (2010).
function nninit.xavier(module, tensor, options)
   local into, out = fans(module)
   draw(tensor, gain_of(options) * math.sqrt(2 / (into + out)), options and options.dist or 'uniform')
   return module
end

-- He, Zhang, Ren and Sun (2015).
function nninit.kaiming(module, tensor, options)
   local into = fans(module)
   draw(tensor, gain_of(options) * math.sqrt(1 / into), options and options.dist or 'normal')
   return module
end

-- Saxe, McClelland and Ganguli (2013). This is what its documentation promises: for wide matrices and windows the
-- original read the factor's memory in another order than its rows, and the result was not orthogonal.
function nninit.orthogonal(module, tensor, options)
   local sizes = tensor:size()
   if #sizes < 2 then fail 'nninit.orthogonal: a tensor of 2 dimensions or more expected' end
   local rows = sizes[1]
   local columns = tensor:nElement() / rows
   local u, _, v = torch.svd(torch.Tensor(rows, columns):normal(0, 1), 'S')
   local basis = rows > columns and u or v:t()
   tensor:copy(basis:contiguous():view(sizes)):mul(gain_of(options))
   return module
end

-- Martens (2010): that share of the elements becomes 0.
function nninit.sparse(module, tensor, share)
   local count = tensor:nElement()
   local indices = torch.randperm(count):long():narrow(1, 1, math.floor(share * count))
   tensor:view(count):indexFill(1, indices, 0)
   return module
end
