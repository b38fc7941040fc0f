-- nn.Jacobian and nn.SparseJacobian: derivatives of modules, by their backward and by differences, compared.
--
-- A Jacobian has a row for each element of the varied tensor and a column for each element of the output.
--
-- Arguments: core, host, nn. Results: nn.Jacobian, nn.SparseJacobian.

local core, _, nn = ...

local ipairs, pairs, os = ipairs, pairs, os
local torch = torch

---------------------------------------------------------------------------------------------------------
-- Common functions

-- Call f(column, gradOutput) for each element of the output, gradOutput being 1 there and 0 elsewhere.
local function each_output(module, f)
   local gradOutput = module.output.new():resizeAs(module.output)
   local flat = gradOutput:view(gradOutput:nElement())
   for i = 1, flat:nElement() do
      gradOutput:zero()
      flat[i] = 1
      f(i, gradOutput)
   end
end

-- The Jacobian by the backward: `gradient(din)` gives the column, as a tensor, after each pass.
local function by_backward(module, input, rows, gradient)
   module:forward(input)
   local columns = module.output:nElement()
   local jacobian = torch.zeros(columns, rows)   -- transposed, so that a column is contiguous
   each_output(module, function(i, gradOutput)
      module:zeroGradParameters()
      local din = module:updateGradInput(input, gradOutput)
      module:accGradParameters(input, gradOutput)
      jacobian:select(1, i):copy(gradient(din))
   end)
   return jacobian:t():contiguous()
end

-- By central differences: row i from moving element i of the vector `x` up and down.
local function by_differences(module, input, x, step)
   local columns = module:forward(input):nElement()
   local jacobian = torch.zeros(x:nElement(), columns)
   local below, above = torch.Tensor(columns), torch.Tensor(columns)
   for i = 1, x:nElement() do
      local value = x[i]
      x[i] = value - step
      below:copy(module:forward(input))
      x[i] = value + step
      above:copy(module:forward(input))
      x[i] = value
      jacobian:select(1, i):add(above, -1, below):div(2 * step)
   end
   return jacobian
end

local function flat(t) return t.new(t):resize(t:nElement()) end

-- The values of a parameter after accUpdateGradParameters against the gradient of each output in turn.
local function updates_by_backward(module, input, param)
   module:forward(input)
   local columns = module.output:nElement()
   local jacobian = torch.zeros(columns, param:nElement())
   local params, saved = module:parameters(), {}
   for j, p in ipairs(params) do saved[j] = p:clone() end
   local function restore()
      for j, p in ipairs(params) do p:copy(saved[j]) end
   end
   each_output(module, function(i, gradOutput)
      restore()
      module:zeroGradParameters()
      module:updateGradInput(input, gradOutput)
      module:accUpdateGradParameters(input, gradOutput, 1)
      jacobian:select(1, i):copy(param)
   end)
   restore()
   return jacobian:t():contiguous()
end

-- The same by differences.
local function updates_by_differences(module, input, param, step)
   local x = flat(param)
   local jacobian = by_differences(module, input, x, step)
   for i = 1, x:nElement() do jacobian:select(1, i):mul(-1):add(x[i]) end
   return jacobian
end

local function largest_difference(a, b) return (a - b):abs():max() end

-- Fill t with numbers from minval (-2) to maxval (2).
local function draw(t, minval, maxval)
   minval, maxval = minval or -2, maxval or 2
   return t:copy(torch.rand(t:nElement()):mul(maxval - minval):add(minval))
end

-- One pass, one after saving and loading; the largest differences of output and gradInput.
local function test_io(module, input, minval, maxval)
   local function pass(m, x, gradOutput)
      m:forward(x)
      gradOutput = gradOutput or draw(m.output:clone(), minval, maxval)
      local kept = gradOutput:clone()
      m:zeroGradParameters()
      m:updateGradInput(x, gradOutput)
      m:accGradParameters(x, gradOutput)
      return m.output:clone(), m.gradInput:clone(), kept
   end
   local again = input:clone()
   local output, gradInput, gradOutput = pass(module, input)
   local name = os.tmpname()
   if not rawequal(module:clearState(), module) then core.fail('clearState did not return its module') end
   torch.save(name, module)
   local loaded = torch.load(name)
   os.remove(name)
   local output2, gradInput2 = pass(loaded, again, gradOutput)
   local difference = gradInput - gradInput2
   return largest_difference(output, output2), difference:nElement() == 0 and 0 or difference:abs():max()
end

-- The errors of the methods of updating a parameter, alone and shared by two modules, by name.
local function test_all_updates(module, input, weight, gradWeight)
   local rate = torch.uniform(0.1, 1)
   local gradOutput

   local function backward(m)
      m:forward(input)
      gradOutput = gradOutput or torch.rand(m.output:size())
      m:zeroGradParameters()
      m:updateGradInput(input, gradOutput)
      m:accGradParameters(input, gradOutput)
   end
   local function backward_and_update(m)
      m:forward(input)
      m:updateGradInput(input, gradOutput)
      m:accUpdateGradParameters(input, gradOutput, rate)
   end
   local function two_that_share()
      local a, b = module:clone(), module:clone()
      b:share(a, weight)
      return a, b
   end

   local plain = module:clone()
   local before = plain[weight]:clone()
   backward(plain)
   plain:updateParameters(rate)
   local step = plain[gradWeight] * rate
   local errors = {accGradParameters = (before - step - plain[weight]):norm()}

   local updated = module:clone()
   backward_and_update(updated)
   errors.accUpdateGradParameters = (updated[weight] - plain[weight]):norm()

   local expected = before - step * 2
   local function off(a, b) return (expected - a[weight]):norm() + (expected - b[weight]):norm() end
   local a, b = two_that_share()
   backward(a)
   backward(b)
   a:updateParameters(rate)
   b:updateParameters(rate)
   errors['accGradParameters [shared]'] = off(a, b)

   a, b = two_that_share()
   a:forward(input)
   b:forward(input)
   backward_and_update(a)
   backward_and_update(b)
   errors['accUpdateGradParameters [shared]'] = off(a, b)
   return errors
end

---------------------------------------------------------------------------------------------------------
-- Dense inputs

local STEP = 1e-6
local Jacobian = {}

-- The Jacobian of the output by the input, or by a parameter with the gradient buffer dparam.
function Jacobian.backward(module, input, param, dparam)
   local rows = (param or input):nElement()
   return by_backward(module, input, rows, function(din) return param and dparam or din end)
end

function Jacobian.forward(module, input, param, perturbation)
   return by_differences(module, input, flat(param or input), perturbation or STEP)
end

Jacobian.backwardUpdate = updates_by_backward
function Jacobian.forwardUpdate(module, input, param, perturbation)
   return updates_by_differences(module, input, param, perturbation or STEP)
end

-- The tests draw the input, and the parameter, and return the largest difference.
function Jacobian.testJacobian(module, input, minval, maxval, perturbation)
   draw(input, minval, maxval)
   return largest_difference(Jacobian.forward(module, input, input, perturbation), Jacobian.backward(module, input))
end

function Jacobian.testJacobianParameters(module, input, param, dparam, minval, maxval, perturbation)
   draw(input, minval, maxval)
   draw(param, minval, maxval)
   local back = Jacobian.backward(module, input, param, dparam)
   return largest_difference(Jacobian.forward(module, input, param, perturbation), back)
end

function Jacobian.testJacobianUpdateParameters(module, input, param, minval, maxval, perturbation)
   draw(input, minval, maxval)
   draw(param, minval, maxval)
   local back = Jacobian.backwardUpdate(module, input, param)
   return largest_difference(Jacobian.forwardUpdate(module, input, param, perturbation), back)
end

Jacobian.testIO = test_io
Jacobian.testAllUpdate = test_all_updates

---------------------------------------------------------------------------------------------------------
-- Second derivatives of half the sum of the squared outputs, whose second derivative by each output is 1

-- By the methods of nn.hessian: the field `name` afterwards.
function Jacobian.backwardDiagHessian(module, input, name)
   module:forward(input)
   local ones = module.output.new():resizeAs(module.output):fill(1)
   module.diagHessianWeight:zero()
   module.diagHessianBias:zero()
   module:updateDiagHessianInput(input, ones)
   module:accDiagHessianParameters(input, ones)
   return module[name]
end

-- By first derivatives, for a linear module: the sum of their squares. `name` is gradInput or a gradient buffer.
function Jacobian.linearModuleDiagHessian(module, input, name)
   module:forward(input)
   local sum
   each_output(module, function(_, gradOutput)
      module.gradWeight:zero()
      if module.bias then module.gradBias:zero() end
      module:updateGradInput(input, gradOutput)
      module:accGradParameters(input, gradOutput)
      local gradient = module[name]
      sum = sum or gradient.new():resize(gradient:nElement()):zero()
      sum:addcmul(gradient, gradient)
   end)
   return sum
end

function Jacobian.testDiagHessian(module, input, gradient, hessian, minval, maxval)
   draw(input, minval, maxval)
   module:initDiagHessianParameters()
   local back = Jacobian.backwardDiagHessian(module, input, hessian)
   return largest_difference(back, Jacobian.linearModuleDiagHessian(module, input, gradient))
end

for _, name in ipairs{'Input', 'Weight', 'Bias'} do
   Jacobian['testDiagHessian' .. name] = function(module, input, minval, maxval)
      return Jacobian.testDiagHessian(module, input, 'grad' .. name, 'diagHessian' .. name, minval, maxval)
   end
end

---------------------------------------------------------------------------------------------------------
-- Sparse inputs: rows of an index and a value, of which the values are varied

local Sparse = {}

local function values(t) return t:select(2, 2) end

function Sparse.backward(module, input, param, dparam)
   local rows = param and param:nElement() or input:size(1)
   return by_backward(module, input, rows, function(din) return param and dparam or values(din) end)
end

function Sparse.forward(module, input, param)
   return by_differences(module, input, param and flat(param) or values(input), STEP)
end

Sparse.backwardUpdate = updates_by_backward
function Sparse.forwardUpdate(module, input, param) return updates_by_differences(module, input, param, STEP) end

function Sparse.testJacobian(module, input, minval, maxval)
   draw(values(input), minval, maxval)
   return largest_difference(Sparse.forward(module, input), Sparse.backward(module, input))
end

function Sparse.testJacobianParameters(module, input, param, dparam, minval, maxval)
   draw(values(input), minval, maxval)
   draw(param, minval, maxval)
   local back = Sparse.backward(module, input, param, dparam)
   return largest_difference(Sparse.forward(module, input, param), back)
end

function Sparse.testJacobianUpdateParameters(module, input, param, minval, maxval)
   draw(values(input), minval, maxval)
   draw(param, minval, maxval)
   local back = Sparse.backwardUpdate(module, input, param)
   return largest_difference(Sparse.forwardUpdate(module, input, param), back)
end

Sparse.testIO = test_io
Sparse.testAllUpdate = test_all_updates

return Jacobian, Sparse
