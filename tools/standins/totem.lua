-- What upstream's test files use of the totem library: the classes are torch's own, which came from it.

require 'nn'

local totem = {Tester = torch.Tester, TestSuite = torch.TestSuite, nn = {}}

-- Tensors of an input or output that may be a table of them.
local function tensors_of(value, list)
   list = list or {}
   if torch.isTensor(value) then
      list[#list + 1] = value
   elseif type(value) == 'table' then
      for _, part in pairs(value) do tensors_of(part, list) end
   end
   return list
end

-- A value of the same structure, with `f` applied to its tensors.
local function mapped(value, f)
   if torch.isTensor(value) then return f(value) end
   if type(value) ~= 'table' then return value end
   local made = {}
   for key, part in pairs(value) do made[key] = mapped(part, f) end
   return made
end

local function copied(value) return mapped(value, function(x) return x:clone() end) end

-- How fast the weighted sum of the outputs changes with each element of x, by differences.
local function slopes(x, forward, weights, step)
   local flat = torch.Tensor(x:size()):zero():view(-1)
   local elements = x:view(-1)
   local function sum()
      local outputs, total = tensors_of(forward()), 0
      for i, output in ipairs(outputs) do total = total + output:dot(weights[i]) end
      return total
   end
   for i = 1, elements:size(1) do
      local before = elements[i]
      elements[i] = before + step
      local above = sum()
      elements[i] = before - step
      local below = sum()
      elements[i] = before
      flat[i] = (above - below) / (2 * step)
   end
   return flat
end

-- Gradients by the module against gradients by differences, for inputs and parameters.
function totem.nn.checkGradients(tester, module, input, precision, step)
   precision, step = precision or 1e-5, step or 1e-5
   input = mapped(input, function(x) return x:contiguous() end)
   local output = module:forward(input)
   local direction = mapped(output, function(x) return torch.randn(x:size()) end)
   local weights = tensors_of(direction)
   local function forward() return module:forward(input) end
   module:zeroGradParameters()
   local grad_input = copied(module:backward(input, copied(direction)))
   local inputs, grads = tensors_of(input), tensors_of(grad_input)
   for i, x in ipairs(inputs) do
      tester:eq(grads[i]:contiguous():view(-1), slopes(x, forward, weights, step), precision, 'gradient of the input')
   end
   local parameters, grad_parameters = module:parameters()
   for i, p in ipairs(parameters or {}) do
      local by_module = grad_parameters[i]:clone():view(-1)
      tester:eq(by_module, slopes(p, forward, weights, step), precision, 'gradient of a parameter')
   end
end

-- A module saved and loaded again gives the same output.
function totem.nn.checkSerializable(tester, module, input)
   local output = copied(module:forward(input))
   local file = torch.MemoryFile()
   file:writeObject(module)
   file:seek(1)
   tester:eq(file:readObject():forward(input), output, 'output of a module that was saved')
end

-- A module taken to FloatTensor and back gives nearly the same output.
function totem.nn.checkTypeCastable(tester, module, input, to, precision)
   to, precision = to or 'torch.FloatTensor', precision or 1e-6
   local output = copied(module:forward(input))
   local before = module:type()
   module:type(to)
   local there = mapped(module:forward(mapped(input, function(x) return x:type(to) end)), function(x) return x:double() end)
   tester:eq(there, output, precision, 'output after type(' .. to .. ')')
   module:type(before)
   tester:eq(module:forward(input), output, precision, 'output after type(' .. before .. ')')
end

rawset(_G, 'totem', totem)   -- most files use the global
return totem
