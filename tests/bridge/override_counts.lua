-- Counts calls: which methods does a module's container, and the module itself, call of a script's?
--
-- Arguments: a Lua file that returns cases {expression, input, target or false, seed}, and the file to write to. For each
-- case, and each of the places where a method can be put - the object, its class, the class that defines it, the
-- first of all classes - every method is wrapped, the steps below are done, and a line is written: case, place,
-- method and how often it was called in each step; with ! where the step was an error. With `arguments` as the third
-- argument it is how many arguments the calls of the step had, without the object, ascending: `2,3`; `-` where there was none.

require 'rnn'
require 'nngraph'
require 'nnx'

local cases = dofile(arg[1])
local out = io.open(arg[2], 'w')
local of_arguments = arg[3] == 'arguments'
print = function() end

function R(...) torch.manualSeed(7) return torch.randn(...) end    -- of both signs
function U(...) torch.manualSeed(7) return torch.rand(...) end     -- positive
function P(...) torch.manualSeed(7) return torch.rand(...):add(0.1) end
function I(n, ...) torch.manualSeed(7) return torch.Tensor(...):random(1, n) end
function L(t) return torch.LongTensor(t) end
function T(t) return torch.Tensor(t) end
function joined(n, m) return nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(n, m)) end
function pooled(p, x) p:forward(x) return p end

-- A gradient for an output.
local function gradient(t)
   if type(t) == 'number' then return 1 end
   if torch.isTensor(t) then
      return t:clone():copy(torch.range(1, t:nElement()):mul(2.4):sin():viewAs(t))
   end
   local g = {}
   for i, v in ipairs(t) do g[i] = gradient(v) end
   return g
end

local METHODS = {}
for name in ([[updateOutput updateGradInput accGradParameters backward forward zeroGradParameters updateParameters
accUpdateGradParameters defaultAccUpdateGradParameters sharedAccUpdateGradParameters backwardUpdate parameters training
evaluate reset clearState share type float double apply applyToModules findModules listModules replace clone
rethrowErrors forget remember stepClone sharedClone maxBPTTstep setOutputStep reinforce sparseParameters maxParamNorm
gradParamClip weightDecay updateGradParameters momentumGradParameters]]):gmatch('%S+') do
   METHODS[#METHODS + 1] = name
end

local function identity(m) return m end
local STEPS = {
   {'forward', function(s, x, g) s.out = s:forward(x) end},
   {'backward', function(s, x, g) s:backward(x, gradient(s.out)) end},
   {'forget', function(s) if s.forget then s:forget() end end},
   {'gradInput', function(s, x) s:forward(x) s:updateGradInput(x, gradient(s.output)) end},
   {'acc', function(s, x) s:accGradParameters(x, gradient(s.output), 1) end},
   {'zero', function(s) s:zeroGradParameters() end},
   {'update', function(s) s:updateParameters(0.1) end},
   {'evaluate', function(s) s:evaluate() end},
   {'forward2', function(s, x) s:forget() s:forward(x) end},
   {'training', function(s) s:training() end},
   {'accUpdate', function(s, x) s:forget() s:forward(x) s:updateGradInput(x, gradient(s.output)) s:accUpdateGradParameters(x, gradient(s.output), 0.1) end},
   {'backwardUpdate', function(s, x) s:forget() s:forward(x) s:backwardUpdate(x, gradient(s.output), 0.1) end},
   {'parameters', function(s) s:parameters() end},
   {'clone', function(s) s:clone() end},
   {'list', function(s) s:listModules() end},
   {'find', function(s) s:findModules('nn.Linear') end},
   {'apply', function(s) s:apply(print) end},
   {'replace', function(s) s:replace(identity) end},
   {'weightDecay', function(s) s:weightDecay(0.1) end},
   {'clip', function(s) s:gradParamClip(1) end},
   {'norm', function(s) s:maxParamNorm(2) end},
   {'momentum', function(s) s:updateGradParameters(0.9) end},
   {'stepClone', function(s) s:stepClone() end},
   {'sharedClone', function(s) s:sharedClone() end},
   {'remember', function(s) s:remember('both') end},
   {'steps', function(s) s:maxBPTTstep(5) end},
   {'reinforce', function(s, x) local r = torch.isTensor(x) and x:size(1) or 2 s:reinforce(torch.ones(r)) end},
   {'share', function(s, x, g, other) s:share(other, 'weight', 'bias') end},
   {'reset', function(s) s:reset() end},
   {'getParameters', function(s) s:getParameters() end},
   {'clear', function(s) s:clearState() end},
   {'forward3', function(s, x) s:forget() s:forward(x) end},
   {'float', function(s) s:float() end},
   {'double', function(s) s:double() end},
}
local CSTEPS = {
   {'forward', function(c, x, t) c:forward(x, t) end},
   {'backward', function(c, x, t) c:backward(x, t) end},
   {'output', function(c, x, t) c:updateOutput(x, t) end},
   {'grad', function(c, x, t) c:updateGradInput(x, t) end},
   {'call', function(c, x, t) c(x, t) end},
   {'clone', function(c) c:clone() end},
   {'float', function(c) c:float() end},
   {'double', function(c) c:double() end},
   {'training', function(c) c:training() end},
   {'evaluate', function(c) c:evaluate() end},
}
local function make(expr, seed)
   torch.manualSeed(seed) math.randomseed(seed)
   return assert(loadstring('return ' .. expr))()
end
local function class_of(m) return torch.getmetatable(torch.typename(m)) end
local function root_of(c) while getmetatable(c) do c = getmetatable(c) end return c end
local function definer(c, name) while c and rawget(c, name) == nil do c = getmetatable(c) end return c end

-- COUNTED, GIVEN and WRAPPED are globals: the wrappers are copied with the objects they are put into.
local function wrapper(method)
   COUNTED, WRAPPED = COUNTED or {}, WRAPPED or {}
   return loadstring((([[return function(...)
      COUNTED.METHOD = COUNTED.METHOD + 1
      GIVEN[#GIVEN + 1] = {'METHOD', select('#', ...) - 1}
      if WRAPPED.METHOD then return WRAPPED.METHOD(...) end
   end]]):gsub('METHOD', method)))()
end

-- The numbers of arguments with which a method was called since GIVEN was emptied.
local function numbers_given(method)
   local seen, numbers = {}, {}
   for _, call in ipairs(GIVEN) do
      if call[1] == method and not seen[call[2]] then
         seen[call[2]] = true
         numbers[#numbers + 1] = call[2]
      end
   end
   table.sort(numbers)
   return #numbers > 0 and table.concat(numbers, ',') or '-'
end

-- Put a wrapper in a place; returns how to take it out again.
local function wrap(m, place, method)
   local c = class_of(m)
   local at = m
   if place == 'class' then at = c elseif place == 'definer' then at = definer(c, method) elseif place == 'root' then at = root_of(c) end
   local old = at and at[method]
   if place ~= 'instance' and place ~= 'class' then old = at and rawget(at, method) end
   COUNTED[method] = 0
   if not at or (type(old) ~= 'function' and place ~= 'root') then return end
   local own = rawget(at, method)
   WRAPPED[method] = old
   at[method] = wrapper(method)
   return function() rawset(at, method, own) end
end

local function run(case, place)
   local expr, input, target, seed = unpack(case)
   local m, x = make(expr, seed), make(input, seed)
   local object, steps, other, t = m, CSTEPS, nil, nil
   if target then
      t = make(target, seed)
   else
      object, steps, other = nn.Sequential():add(m), STEPS, nn.Sequential():add(make(expr, seed))
   end
   COUNTED, WRAPPED = {}, {}
   local undo, counts, before = {}, {}, {}
   for _, method in ipairs(METHODS) do
      undo[#undo + 1] = wrap(m, place, method)
      counts[method], before[method] = {}, 0
   end
   for _, step in ipairs(steps) do
      torch.manualSeed(seed)
      GIVEN = {}
      local ok = pcall(step[2], object, x, t, other)
      for _, method in ipairs(METHODS) do
         local count = of_arguments and numbers_given(method) or COUNTED[method] - before[method]
         table.insert(counts[method], (ok and '' or '!') .. count)
         before[method] = COUNTED[method]
      end
   end
   for i = #undo, 1, -1 do undo[i]() end
   return counts
end

for number, case in ipairs(cases) do
   for _, place in ipairs {'instance', 'class', 'definer', 'root'} do
      local counts = run(case, place)
      for _, method in ipairs(METHODS) do
         out:write(('%d\t%s\t%s\t%s\n'):format(number, place, method, table.concat(counts[method], ' ')))
      end
   end
end
out:close()
