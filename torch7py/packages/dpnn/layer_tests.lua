-- The tests of `nn.test`, `dpnn.test` and `rnn.test`: gradients of layers against differences of their outputs.
--
-- Arguments: cases, functions by the name of a test, each of which returns a module and an input for it.
-- Result: test(tests, exclude), which runs the tests of these names, all without any, or all others with `exclude`.

local cases = ...
local ipairs, next, pcall, type = ipairs, next, pcall, type
local torch, unpack = torch, unpack

local STEP, PRECISION = 1e-6, 1e-5

-- The tensors of a value, in their order.
local function tensors_of(value, tensors)
   tensors = tensors or {}
   if torch.isTensor(value) then
      tensors[#tensors + 1] = value
   elseif type(value) == 'table' then
      for _, item in ipairs(value) do tensors_of(item, tensors) end
   end
   return tensors
end

-- A value of the same structure, each of its tensors replaced by the result of a function.
local function map(value, make)
   if torch.isTensor(value) then return make(value) end
   local result = {}
   for i, item in ipairs(value) do result[i] = map(item, make) end
   return result
end

local function clone(tensor) return tensor:clone() end
local function random_like(tensor) return torch.randn(tensor:size()):typeAs(tensor) end

local function dot(a, b)
   local total = 0
   a, b = tensors_of(a), tensors_of(b)
   for i, tensor in ipairs(a) do total = total + torch.dot(tensor, b[i]) end
   return total
end

local function begin(m)
   if m.forget then m:forget() end
end

-- The largest difference between a gradient and the slope that a small step shows, over all elements of some tensors.
local function largest_error(m, input, direction, tensors, gradients)
   local worst = 0
   local function value()
      begin(m)
      return dot(m:forward(input), direction)
   end
   for i, tensor in ipairs(tensors) do
      local flat, gradient = tensor:view(-1), gradients[i]:contiguous():view(-1)
      for j = 1, flat:size(1) do
         local kept = flat[j]
         flat[j] = kept + STEP
         local above = value()
         flat[j] = kept - STEP
         local below = value()
         flat[j] = kept
         worst = math.max(worst, math.abs((above - below) / (2 * STEP) - gradient[j]))
      end
   end
   return worst
end

local function gradient_test(tester, make)
   return function()
      local m, input = make()
      begin(m)
      local direction = map(m:forward(input), random_like)
      m:zeroGradParameters()
      local parameters, gradients = m:parameters()
      local of_input = m:backward(input, map(direction, clone))   -- a gradInput may be the gradOutput's memory
      local kept = {}
      for i, gradient in ipairs(gradients or {}) do kept[i] = gradient:clone() end
      local inputs, gradients_of_inputs = tensors_of(input), tensors_of(of_input)
      for i, gradient in ipairs(gradients_of_inputs) do gradients_of_inputs[i] = gradient:clone() end
      tester:assertlt(largest_error(m, input, direction, inputs, gradients_of_inputs), PRECISION, 'gradient of the input')
      if parameters then
         tester:assertlt(largest_error(m, input, direction, parameters, kept), PRECISION, 'gradients of the parameters')
      end
   end
end

return function(tests, exclude)
   local tester, suite = torch.Tester(), torch.TestSuite()
   for name, make in next, cases do suite[name] = gradient_test(tester, make) end
   tester:add(suite)
   if exclude then
      local left_out, others = {}, {}
      for _, name in ipairs(type(tests) == 'table' and tests or {tests}) do left_out[name] = true end
      for name in next, cases do
         if not left_out[name] then others[#others + 1] = name end
      end
      tests = others
   end
   -- The layers here are in double precision, whatever type the program has chosen.
   local default = torch.getdefaulttensortype()
   torch.setdefaulttensortype('torch.DoubleTensor')
   local results = {pcall(tester.run, tester, tests)}
   torch.setdefaulttensortype(default)
   if not results[1] then error(results[2], 0) end
   return unpack(results, 2)
end
