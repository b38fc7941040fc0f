-- The Lua methods that dpnn adds to nn's classes: saving by nn.Serial, timing, and small helpers.
--
-- Arguments: core, host, the package's table, chunk, module.

local core, _, dpnn, chunk, module = ...

local ipairs, pairs, require, select, type, unpack = ipairs, pairs, require, select, type, unpack
local pcall, random = pcall, math.random
local torch, nn = torch, nn
local Module = nn.Module

dpnn.version = 2

-- dpnn.test(tests, exclude): the gradients of the package's layers.
function dpnn.test(tests, exclude) return chunk('test.lua')(chunk)(tests, exclude) end

-- dpnn.require(name): require, with a hint if the package is missing.
function dpnn.require(name)
   if type(name) ~= 'string' then core.fail('dpnn.require: the name of a package expected') end
   local ok, message = pcall(require, name)
   if not ok then core.fail('dpnn needs the package %s: %s', name, message) end
end

---------------------------------------------------------------------------------------------------------
-- Saving. A module's `dpnn_serialEmpty` names the fields that nn.Serial leaves empty.

Module.dpnn_parameters = {'weight', 'bias'}
Module.dpnn_gradParameters = {'gradWeight', 'gradBias'}
Module.dpnn_mediumEmpty = {'output', 'gradInput', 'momGradParams', 'dpnn_input'}
Module.dpnn_lightEmpty = Module.dpnn_gradParameters

local function joined(a, b)
   local all = {unpack(a)}
   for _, name in ipairs(b) do all[#all + 1] = name end
   return all
end

-- Buffers that can be recomputed.
local BUFFERS = {
   SpatialMaxPooling = {'indices'},
   SpatialConvolution = {'finput', 'fgradinput', '_input', '_gradOutput'},
   SpatialConvolutionMM = {'finput', 'fgradinput', '_input', '_gradOutput'},
   BatchNormalization = {'buffer', 'buffer2', 'centered', 'std', 'normalized'},
   SpatialBatchNormalization = {'buffer', 'buffer2', 'centered', 'std', 'normalized'},
   NCEModule = {'sampleidx', 'sampleprob', '_noiseidx', '_noiseprob', '_weight', '_gradWeight', '_gradOutput',
                '_tgradOutput'},
}
for name, buffers in pairs(BUFFERS) do
   nn[name].dpnn_mediumEmpty = joined(Module.dpnn_mediumEmpty, buffers)
end
nn.BatchNormalization.dpnn_parameters = joined(Module.dpnn_parameters, {'running_mean', 'running_var'})
nn.NCEModule.version = 6      -- programs ask for it
nn.NCEModule.dpnn_parameters = joined(Module.dpnn_parameters, {'unigrams', 'Z'})

-- f(m) for each module among the values of a table, in tables within it too.
local function each_module(t, f, seen)
   for _, value in pairs(t) do
      if type(value) == 'table' and not seen[value] then
         seen[value] = true
         if torch.isTypeOf(value, 'nn.Module') then
            f(value)
         elseif torch.type(value) == 'table' then
            each_module(value, f, seen)
         end
      end
   end
end

-- Set the method that serializes the module and those in its fields.
local function set_mode(m, method, names, ...)
   m.dpnn_serialEmpty = names
   local arguments, n = {...}, select('#', ...)
   each_module(m, function(inner) inner[method](inner, unpack(arguments, 1, n)) end, {[m] = true})
   return m
end

-- m:serialMode(names): leave these fields empty.
function Module:serialMode(names)
   if type(names) ~= 'table' then core.fail('serialMode: a table of names of fields expected') end
   return set_mode(self, 'serialMode', names, names)
end

-- m:heavySerial(), m:mediumSerial(), m:lightSerial(): save everything; all but the results of forward and backward; all
-- but these and the gradients of parameters.
function Module:heavySerial() return self:serialMode({}) end
function Module:mediumSerial() return set_mode(self, 'mediumSerial', self.dpnn_mediumEmpty) end
function Module:lightSerial()
   return set_mode(self, 'lightSerial', joined(self.dpnn_mediumEmpty, self.dpnn_lightEmpty))
end

-- m:Serial([tensortype]): the module in an nn.Serial.
function Module:Serial(tensortype) return nn.Serial(self, tensortype) end

-- m:getSerialState(): the fields as nn.Serial saves them, modules as plain tables with their class in `dpnn_typename`.
function Module:getSerialState(states)
   states = states or {}
   if states[self] then return states[self] end
   local function saved(value)
      if type(value) ~= 'table' then return value end
      if torch.isTypeOf(value, 'nn.Module') then return value:getSerialState(states) end
      if torch.type(value) ~= 'table' then return value end
      if not states[value] then
         local copy = {}
         states[value] = copy
         for key, item in pairs(value) do copy[key] = saved(item) end
      end
      return states[value]
   end
   local empty = {}
   for _, name in ipairs(self.dpnn_serialEmpty or {}) do empty[name] = true end
   local state = {dpnn_typename = torch.type(self)}
   states[self] = state
   for key, value in pairs(self) do
      if not empty[key] then
         state[key] = saved(value)
      elseif torch.isTensor(value) then
         state[key] = value.new()
      else
         state[key] = torch.type(value) == 'table' and {} or value
      end
   end
   return state
end

function nn.Serial:write(file) Module.write(self:dpnn_slimmed(), file) end

---------------------------------------------------------------------------------------------------------
-- Getting parameters: modules in any field count, not those in `modules` alone.

local get_parameters = Module.getParameters   -- of objects that are no modules
module.redefine(torch.getmetatable('nn.Module'), 'getParameters', function(self)
   if torch.isTypeOf(self, 'nn.Module') then return self:dpnn_getParameters() end
   return get_parameters(self)
end)

---------------------------------------------------------------------------------------------------------
-- Timing. nn.Sequential and nn.ParallelTable print how long each of their modules takes, all of them from then on.

-- method(name) of `m`, timed; `name` is printed.
local function timed(m, name, ...)
   local timer = torch.Timer()
   local result = m[name](m, ...)
   if cutorch then cutorch.synchronize() end
   print(('%s %s: %s s'):format(torch.type(m), name, timer:time().real))
   return result
end

local function profile_inside(self)
   if self.modules then
      for _, m in ipairs(self.modules) do m:profile() end
   end
   self.dpnn_profile = true
end

Module.profile = profile_inside

-- m:method(its input, gradient, ...) of a Sequential's modules from the last to the first; `following` gives the next
-- module's gradient.
local function backwards(self, name, input, gradient, following, ...)
   for i = #self.modules, 1, -1 do
      local m = self.modules[i]
      local result = timed(m, name, i > 1 and self.modules[i - 1].output or input, gradient, ...)
      gradient = following(m, result)
   end
   return gradient
end

local function result_of(_, result) return result end
local function grad_input_of(m) return m.gradInput end

function nn.Sequential:profile()
   local Sequential = nn.Sequential
   function Sequential:updateOutput(input)
      for _, m in ipairs(self.modules) do input = timed(m, 'updateOutput', input) end
      self.output = input
      return input
   end
   function Sequential:updateGradInput(input, gradOutput)
      self.gradInput = backwards(self, 'updateGradInput', input, gradOutput, result_of)
      return self.gradInput
   end
   function Sequential:accGradParameters(input, gradOutput, scale)
      backwards(self, 'accGradParameters', input, gradOutput, grad_input_of, scale or 1)
   end
   function Sequential:backward(input, gradOutput, scale)
      local function keep(m, gradient)
         m.gradInput = gradient
         return gradient
      end
      self.gradInput = backwards(self, 'backward', input, gradOutput, keep, scale or 1)
      return self.gradInput
   end
   function Sequential:accUpdateGradParameters(input, gradOutput, lr)
      backwards(self, 'accUpdateGradParameters', input, gradOutput, grad_input_of, lr)
   end
   profile_inside(self)
end

function nn.ParallelTable:profile()
   local ParallelTable = nn.ParallelTable
   function ParallelTable:updateOutput(input)
      for i, m in ipairs(self.modules) do self.output[i] = timed(m, 'updateOutput', input[i]) end
      return self.output
   end
   function ParallelTable:updateGradInput(input, gradOutput)
      for i, m in ipairs(self.modules) do
         self.gradInput[i] = timed(m, 'updateGradInput', input[i], gradOutput[i])
      end
      return self.gradInput
   end
   function ParallelTable:accGradParameters(input, gradOutput, scale)
      for i, m in ipairs(self.modules) do timed(m, 'accGradParameters', input[i], gradOutput[i], scale or 1) end
   end
   function ParallelTable:accUpdateGradParameters(input, gradOutput, lr)
      for i, m in ipairs(self.modules) do
         timed(m, 'accUpdateGradParameters', input[i], gradOutput[i], lr or 1)
      end
   end
   profile_inside(self)
end

---------------------------------------------------------------------------------------------------------
-- The rest

-- c:extend(m, ...): add several modules.
function nn.Container:extend(...)
   for i = 1, select('#', ...) do self:add((select(i, ...))) end
   return self
end

-- m:outside(size): the size of the output for an input of a size, a number or a table of numbers.
function Module:outside(size)
   local input = type(size) == 'table' and torch.randn(unpack(size)) or torch.randn(size)
   return self:updateOutput(input):size()
end

-- m:accept(visitor): visitor:visit(m).
function Module:accept(visitor) visitor:visit(self) end

-- m:dontBackward(): skip the module in every backward from now on.
function Module:dontBackward()
   for _, name in ipairs {'backward', 'updateGradInput', 'accGradParameters', 'accUpdateGradParameters'} do
      self[name] = function() end
   end
   return self
end

-- One category of a torch.AliasMultinomial, drawn by Lua's math.random.
function torch.AliasMultinomial:draw()
   local k = random(1, self.J:nElement())
   if random() < self.q[k] then return k end
   return self.J[k]
end
