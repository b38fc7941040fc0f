-- nn.Optim(model, state): a state of an optim method for each weight and bias of each module.
--
-- Arguments: core {fail}.

local core = ...
local fail = core.fail
local torch, nn, type, pairs, ipairs = torch, nn, type, pairs, ipairs

local function copied(value)
   if torch.isTensor(value) then return value:clone() end
   if type(value) ~= 'table' then return value end
   local copy = {}
   for k, v in pairs(value) do copy[copied(k)] = copied(v) end
   return copy
end

local Optim = torch.class 'nn.Optim'

-- {weight and its gradient, bias and its gradient}, nil where the module has none; `is_bias` says which it is. As in
-- the original, the list ends at the first nil: a bias without a weight stays as it is.
function Optim.weight_bias_parameters(module)
   local parameters = {}
   for i, names in ipairs {{'weight', 'gradWeight'}, {'bias', 'gradBias'}} do
      if module[names[1]] then parameters[i] = {module[names[1]], module[names[2]], is_bias = i == 2} end
   end
   return parameters
end

-- nn.Optim(model, optState), or nn.Optim(model, nil, checkpoint), the result of save(). A bias has no weightDecay.
function Optim:__init(model, optState, checkpoint)
   if not torch.isTypeOf(model, 'nn.Module') or (optState == nil) == (checkpoint == nil) then
      fail 'nn.Optim: a model and either a state or what save() gave expected'
   end
   self.model, self.originalOptState = model, optState
   self.modulesToOptState = {}
   if checkpoint then
      self.modulesToOptState = checkpoint.optim_state
      model:apply(function(module)
         if not self.modulesToOptState[module] then fail 'nn.Optim: the saved state is of another model' end
      end)
      return
   end
   model:apply(function(module)
      local states = {}
      for i, parameters in ipairs(self.weight_bias_parameters(module)) do
         states[i] = copied(optState)
         if parameters.is_bias then states[i].weightDecay = 0 end
      end
      self.modulesToOptState[module] = states
   end)
end

function Optim:save() return {optim_state = self.modulesToOptState} end

local function converted(value, name)
   for k, v in pairs(value) do
      if torch.isTensor(v) then value[k] = v:type(name) elseif type(v) == 'table' then converted(v, name) end
   end
end

function Optim:type(name)
   for _, states in pairs(self.modulesToOptState) do converted(states, name) end
end

-- o:optimize(method, inputs, targets, criterion): one step; returns the loss and the output.
function Optim:optimize(method, inputs, targets, criterion)
   self.model:zeroGradParameters()
   local output = self.model:forward(inputs)
   local loss = criterion:forward(output, targets)
   self.model:backward(inputs, criterion:backward(output, targets))
   self:updateParameters(method, loss)
   return loss, output
end

function Optim:updateParameters(method, loss)
   self.model:apply(function(module)
      local states = self.modulesToOptState[module] or {}
      for i, parameters in ipairs(self.weight_bias_parameters(module)) do
         if states[i] then method(function() return loss, parameters[2] end, parameters[1], states[i]) end
      end
   end)
end

-- o:setParameters{name = value}: in the states of all.
function Optim:setParameters(settings)
   if type(settings) ~= 'table' then fail 'nn.Optim:setParameters: a table expected' end
   local function take(state)
      for k, v in pairs(settings) do state[k] = v end
   end
   if self.originalOptState then take(self.originalOptState) end
   for _, states in pairs(self.modulesToOptState) do
      for _, state in pairs(states) do take(state) end
   end
end
