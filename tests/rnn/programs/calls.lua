-- Random sequences of calls of recurrent modules; after each call what it gave, and at times what is kept of the steps.
--
-- Arguments: the generation of the package (2015 or 2016), then the numbers of the sequences.
require 'rnn'
local old = arg[1] == '2015'
if old then _ = require 'moses' end

-- A generator of its own decides, so that the numbers of the tensors depend on the calls alone.
local state, batch, size = 1, 3, 2
local function choose(n)
   state = state * 16807 % 2147483647
   return state % n + 1
end
local function pick(list) return list[choose(#list)] end

local modules = {
   LSTM = function() return nn.LSTM(size, size) end,
   FastLSTM = function() return nn.FastLSTM(size, size) end,
   Recurrent = function()
      return nn.Recurrent(size, nn.Linear(size, size), nn.Linear(size, size), nn.Tanh(), pick{3, 99})
   end,
}
if not old then
   function modules.GRU() return nn.GRU(size, size) end
   function modules.MaskedGRU() return nn.GRU(size, size):maskZero(1) end
   function modules.MaskedLSTM() return nn.LSTM(size, size):maskZero(1) end
   function modules.MuFuRu() return nn.MuFuRu(size, size, {'keep', 'replace', 'mul', 'diff', 'forget', 'max', 'min'}) end
   function modules.Recursor() return nn.Recursor(nn.Sequential():add(nn.Linear(size, size)):add(nn.Tanh())) end
   function modules.Stack() return nn.Recursor(nn.Sequential():add(nn.LSTM(size, size)):add(nn.Linear(size, size))) end
   function modules.NormStabilizer() return nn.Recursor(nn.Sequential():add(nn.GRU(size, size)):add(nn.NormStabilizer())) end
   function modules.GraphLSTM()
      nn.FastLSTM.usenngraph = true
      local made = nn.FastLSTM(size, size)
      nn.FastLSTM.usenngraph = false
      return made
   end
   function modules.Recurrence()
      local step = nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(2 * size, size)):add(nn.Sigmoid())
      return nn.Recurrence(step, size, 1)
   end
end

local function sorted(t)
   local keys = {}
   for key in pairs(t) do keys[#keys + 1] = key end
   table.sort(keys)
   return keys
end
local names = sorted(modules)

-- A number for a tensor, in which every element counts.
local function text(value)
   if type(value) == 'table' then
      local parts = {}
      for i = 1, #value do parts[i] = text(value[i]) end
      return '{' .. table.concat(parts, ' ') .. '}'
   end
   if value:nElement() == 0 then return '[]' end
   local flat = value:clone():double():contiguous():view(-1)
   return ('%.6f'):format(flat:dot(torch.range(1, flat:size(1)):mul(0.37):cos()))
end

-- The steps that a table has entries of, from one on.
local function steps(t, first)
   local found = {}
   for _, step in ipairs(sorted(t)) do
      if step >= first then found[#found + 1] = step end
   end
   return table.concat(found, ',')
end

local counts = {'step', 'nSharedClone', 'updateGradInputStep', 'accGradParametersStep'}
local by_step = {'outputs', 'gradInputs', 'gradOutputs', '_gradOutputs', 'cells', 'sharedClones', 'inputs', 'scales'}

local function look(m, say)
   for _, part in ipairs(m:listModules()) do
      if torch.isTypeOf(part, 'nn.AbstractRecurrent') then
         local line = {torch.type(part)}
         for _, name in ipairs(counts) do line[#line + 1] = name .. '=' .. tostring(part[name]) end
         -- The original keeps entries of steps whose clones serve others by now.
         local oldest = math.max(1, part.step - 1 - math.max(part.rho + 1, part.nSharedClone or 1))
         for _, name in ipairs(by_step) do
            local t = part[name]
            if t and next(t) and (old or name ~= 'inputs' and name ~= 'scales') then
               line[#line + 1] = name .. '(' .. steps(t, oldest) .. ')'
            end
         end
         if part.train ~= false then
            for _, name in ipairs{'outputs', 'gradInputs'} do
               for step, value in pairs(part[name] or {}) do
                  if step == part.step - 1 then line[#line + 1] = name .. ' ' .. text(value) end
               end
            end
         end
         say(table.concat(line, ' '))
      end
   end
end

local function run(number)
   state = number * 7919 + 17
   for _ = 1, 5 do choose(2) end
   torch.manualSeed(number)
   local name = pick(names)
   local m = modules[name]()
   local forgets = not old and name:match('LSTM')   -- when its type changes
   local sequence = choose(3) <= 2
   if sequence then m = nn.Sequencer(m) end
   local tensors = sequence and not old and choose(4) == 1
   if sequence and choose(3) <= 2 then m:remember(pick{'both', 'both', 'eval', 'train', 'neither'}) end
   local often, fixed = pick{0, 0, 2, 4}, choose(3) == 1 and choose(4)
   m:zeroGradParameters()
   local function say(...) print(table.concat({number, name, ...}, ' ')) end

   local function input()
      local made = torch.randn(batch, size)
      if name:match('Masked') then made[choose(batch)]:zero() end
      return made
   end
   local function some(make)
      if not sequence then return make() end
      local made = {}
      for t = 1, fixed or choose(4) do made[t] = make() end
      if not tensors then return made end
      local joined = torch.Tensor(#made, batch, size)
      for t = 1, #made do joined[t] = made[t] end
      return joined
   end
   local function like(given)
      if torch.isTensor(given) then return torch.randn(given:size()) end
      local made = {}
      for t = 1, #given do made[t] = torch.randn(batch, size) end
      return made
   end

   local given = {}   -- the inputs that can be gone back from
   local calls = {}
   function calls.forward()
      local x = some(input)
      given = sequence and {x} or given
      if not sequence then given[#given + 1] = x end
      say('forward', text(m:forward(x)))
   end
   function calls.backward()
      if #given == 0 or m.train == false then return end
      local x = table.remove(given)
      m:zeroGradParameters()
      local gradient = m:backward(x, like(x))
      if old and not sequence then gradient = m:backwardThroughTime() end
      local _, gradients = m:parameters()
      say('backward', text(gradient), text(gradients))
      if old and not sequence then given = {} end
   end
   function calls.clone() m = m:clone() end
   function calls.file() m, given = torch.deserialize(torch.serialize(m)), {} end
   function calls.update() if not old or sequence then m:updateParameters(0.3) end end
   function calls.double() m:double() if forgets then given = {} end end
   function calls.float() m:float() m:double() if forgets then given = {} end end
   function calls.evaluate() m:evaluate() end
   function calls.training() m:training() end
   function calls.forget() m:forget() given = {} end
   function calls.zero() m:zeroGradParameters() end
   function calls.clear() if not old then m:clearState() given = {} end end
   function calls.remember() if sequence then m:remember(pick{'both', 'eval', 'train', 'neither'}) end end
   local all = {}
   for call in pairs(calls) do all[#all + 1] = call end
   table.sort(all)
   for _, call in ipairs{'forward', 'forward', 'forward', 'backward', 'backward', 'backward'} do all[#all + 1] = call end

   for i = 1, 4 + choose(9) do
      local call = i == 1 and 'forward' or pick(all)
      local ok = pcall(calls[call])
      if not ok then return say(call, 'error') end
      if often > 0 and choose(often) == 1 then look(m, function(line) say(call, line) end) end
   end
end

for i = 2, #arg do run(tonumber(arg[i])) end
