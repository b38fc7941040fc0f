-- nn.hessian: after nn.hessian.enable() some layers estimate the diagonal of the Hessian as they estimate gradients.
--
-- module:updateDiagHessianInput(input, diagHessianOutput) gives the second derivatives by the input, from those by
-- the output, and keeps them in diagHessianInput; module:accDiagHessianParameters(input, diagHessianOutput) adds those
-- by the parameters to diagHessianWeight and diagHessianBias, which module:initDiagHessianParameters() makes. For a
-- layer that is linear these are the gradients with every number of the weights and inputs squared. parameters() and
-- getParameters() then give the second derivatives as their third result.
--
-- Arguments: core {fail}, host, nn, module. Result: nn.hessian.

local core, _, nn, module_of = ...

local ipairs, table = ipairs, table
local torch = torch
local hessian = {}

local enabled = false

local function squared(t) return torch.cmul(t, t) end

-- initDiagHessianParameters(module, {'gradWeight', ...}, {'diagHessianWeight', ...})
local function init(module, gradients, hessians)
   module.diagHessianInput = module.diagHessianInput or module.gradInput.new()
   for i, name in ipairs(hessians) do
      local gradient = module[gradients[i]]
      if gradient and not module[name] then module[name] = gradient.new():resizeAs(gradient):zero() end
   end
end

-- Add to the fields `hessians` what accGradParameters adds to `gradients` for an input of squares.
local function accumulate(module, input, diagHessianOutput, gradients, hessians)
   if #gradients ~= #hessians then core.fail('there must be as many Hessians as gradients') end
   init(module, gradients, hessians)
   local kept = {}
   for i, name in ipairs(gradients) do
      kept[i] = module[name]
      if kept[i] then module[name] = module[hessians[i]] end
   end
   local squares, output = squared(input), module.output
   module.output = output.new()
   module:forward(squares)   -- a convolution's gradients are of what its forward has kept
   module:accGradParameters(squares, diagHessianOutput, 1)
   module.output = output
   for i, name in ipairs(gradients) do
      if kept[i] then module[name] = kept[i] end
   end
end

-- The result of updateGradInput with the parameters `weights` squared.
local function update(module, input, diagHessianOutput, weights)
   local saved, gradInput = {}, module.gradInput
   for i, name in ipairs(weights) do
      local weight = module[name]
      saved[i] = weight and weight:clone()
      if weight then weight:cmul(saved[i]) end
   end
   module.gradInput = input.new()
   module:updateGradInput(input, diagHessianOutput)
   local grad_input = module.gradInput
   module.gradInput = gradInput
   for i, name in ipairs(weights) do
      if saved[i] then module[name]:copy(saved[i]) end
   end
   module.diagHessianInput = (module.diagHessianInput or input.new()):resizeAs(grad_input):copy(grad_input)
   return module.diagHessianInput
end

-- Of a function of each element: the square of its slope.
local function update_pointwise(module, input, diagHessianOutput)
   local slopes = update(module, input, diagHessianOutput.new():resizeAs(diagHessianOutput):fill(1), {})
   return slopes:cmul(slopes):cmul(diagHessianOutput)
end

local GRADIENTS, HESSIANS = {'gradWeight', 'gradBias'}, {'diagHessianWeight', 'diagHessianBias'}

-- Classes of linear layers, and those with pointwise second derivatives; classes that do not exist are skipped.
local LINEAR = {'Linear', 'SpatialConvolution', 'SpatialConvolutionLocal', 'SpatialFullConvolution',
                'SpatialConvolutionMap', 'SpatialFullConvolutionMap'}
local POINTWISE = {'Tanh', 'Square', 'Sqrt'}

local function undefined(self)
   core.fail('%s:updateDiagHessianInput() is undefined', torch.typename(self))
end

local function define_layers()
   nn.Module.updateDiagHessianInput = undefined
   function nn.Module:accDiagHessianParameters() end
   function nn.Module:initDiagHessianParameters() end
   for _, name in ipairs(LINEAR) do
      local c = nn[name]
      if c then
         function c:updateDiagHessianInput(input, diagHessianOutput)
            return update(self, input, diagHessianOutput, {'weight'})
         end
         function c:accDiagHessianParameters(input, diagHessianOutput)
            accumulate(self, input, diagHessianOutput, GRADIENTS, HESSIANS)
         end
         function c:initDiagHessianParameters() init(self, GRADIENTS, HESSIANS) end
      end
   end
   for _, name in ipairs(POINTWISE) do nn[name].updateDiagHessianInput = update_pointwise end
   function nn.TanhShrink:updateDiagHessianInput(input, diagHessianOutput)
      local inner = update_pointwise(self.tanh, input, diagHessianOutput)
      self.diagHessianInput = torch.add(inner, diagHessianOutput)
      return self.diagHessianInput
   end
   function nn.Reshape:updateDiagHessianInput(input, diagHessianOutput)
      self.diagHessianInput = diagHessianOutput:contiguous():viewAs(input)
      return self.diagHessianInput
   end
end

local function define_criterions()
   nn.Criterion.updateDiagHessianInput = undefined
   local function of_squares(self, input)
      local value = self.sizeAverage and 2 / input:nElement() or 2
      self.diagHessianInput = (self.diagHessianInput or input.new()):resizeAs(input):fill(value)
      return self.diagHessianInput
   end
   nn.MSECriterion.updateDiagHessianInput = of_squares
   nn.WeightedMSECriterion.updateDiagHessianInput = of_squares
   function nn.L1Cost:updateDiagHessianInput(input)
      self.diagHessianInput = (self.diagHessianInput or input.new()):resizeAs(input):copy(torch.ne(input, 0))
      return self.diagHessianInput
   end
end

local function define_sequential()
   local Sequential = nn.Sequential
   function Sequential:initDiagHessianParameters()
      for _, module in ipairs(self.modules) do module:initDiagHessianParameters() end
   end
   -- f(module, its input), from the last module to the first.
   local function backwards(self, input, f)
      for i = #self.modules, 1, -1 do
         f(self.modules[i], i > 1 and self.modules[i - 1].output or input)
      end
   end
   function Sequential:updateDiagHessianInput(input, diagHessianOutput)
      backwards(self, input, function(module, its_input)
         diagHessianOutput = module:updateDiagHessianInput(its_input, diagHessianOutput)
      end)
      self.diagHessianInput = diagHessianOutput
      return diagHessianOutput
   end
   function Sequential:accDiagHessianParameters(input, diagHessianOutput)
      backwards(self, input, function(module, its_input)
         module:accDiagHessianParameters(its_input, diagHessianOutput)
         diagHessianOutput = module.diagHessianInput
      end)
   end
   function Sequential:parameters()
      local lists = {{}, {}, {}}
      for _, module in ipairs(self.modules) do
         local parameters = {module:parameters()}
         for i, list in ipairs(lists) do
            for _, t in ipairs(parameters[i] or {}) do table.insert(list, t) end
         end
      end
      return lists[1], lists[2], lists[3]
   end
   module_of.vouch(Sequential.parameters)
end

local function define_parameters()
   local parameters, flatten = nn.Module.parameters, nn.Module.flatten
   function nn.Module:parameters()
      local weights, gradients = parameters(self)
      if not weights then return end
      local hessians = {}
      for i, name in ipairs(HESSIANS) do hessians[#hessians + 1] = self[name] end
      return weights, gradients, hessians
   end
   module_of.vouch(nn.Module.parameters)
   function nn.Module:getParameters()
      local weights, gradients, hessians = self:parameters()
      local flat, flat_gradients = flatten(weights), flatten(gradients)
      return flat, flat_gradients, hessians and hessians[1] and flatten(hessians) or nil
   end
end

-- Give the layers these methods; a second call does nothing.
function hessian.enable()
   if enabled then return end
   enabled = true
   define_layers()
   define_criterions()
   define_sequential()
   define_parameters()
   hessian.accDiagHessianParameters = accumulate
   hessian.updateDiagHessianInput = update
   hessian.updateDiagHessianInputPointWise = update_pointwise
   hessian.initDiagHessianParameters = init
end

return hessian
