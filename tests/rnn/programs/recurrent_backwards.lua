-- Backwards of recurrent modules: of steps that were done, or are gone back through, in evaluation; their two halves with
-- the same arguments and with others; and those that move the parameters at once.
--
-- Each line: the module, what is done, and for each call of a backward the gradients that it gave and accumulated, as
-- numbers in which every element counts; or `error` in the place of what failed. Arguments: names of modules, all if none.
require 'nngraph'
require 'rnn'

local batch, size, steps = 2, 3, 3

local function linear() return nn.Linear(size, size) end
local function joined() return nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(2 * size, size)):add(nn.Tanh()) end

local stepped = {
   LSTM = function() return nn.LSTM(size, size) end,
   ['LSTM without peepholes'] = function() return nn.LSTM(size, size, nil, false) end,
   FastLSTM = function() return nn.FastLSTM(size, size) end,
   ['FastLSTM as a graph'] = function()
      nn.FastLSTM.usenngraph = true
      local made = nn.FastLSTM(size, size)
      nn.FastLSTM.usenngraph = false
      return made
   end,
   GRU = function() return nn.GRU(size, size) end,
   ['masked GRU'] = function() return nn.GRU(size, size):maskZero(1) end,
   ['masked LSTM'] = function() return nn.LSTM(size, size):maskZero(1) end,
   MuFuRu = function() return nn.MuFuRu(size, size) end,
   Recurrent = function() return nn.Recurrent(size, linear(), linear(), nn.Tanh()) end,
   Recurrence = function() return nn.Recurrence(joined(), size, 1) end,
   Recursor = function() return nn.Recursor(nn.Sequential():add(linear()):add(nn.Tanh())) end,
   stack = function() return nn.Recursor(nn.Sequential():add(nn.LSTM(size, size)):add(linear()):add(nn.Tanh())) end,
   graph = function()
      local x = nn.Identity()()
      local y = nn.Tanh()(nn.Linear(size, size)(x))
      return nn.Recursor(nn.gModule({x}, {nn.CAddTable(){y, nn.Sigmoid()(x)}}))
   end,
   NormStabilizer = function() return nn.NormStabilizer() end,
   ['stabilized'] = function() return nn.Recursor(nn.Sequential():add(nn.GRU(size, size)):add(nn.NormStabilizer())) end,
   Dropout = function() return nn.Recursor(nn.Sequential():add(linear()):add(nn.Dropout(0.5))) end,
   BatchNormalization = function() return nn.Recursor(nn.Sequential():add(linear()):add(nn.BatchNormalization(size))) end,
}

local function sum(value)
   if value == nil then return 'nil' end
   if type(value) == 'table' then
      local parts = {}
      for i = 1, #value do parts[i] = sum(value[i]) end
      return '{' .. table.concat(parts, ' ') .. '}'
   end
   if value:nElement() == 0 then return '[]' end
   local flat = value:clone():contiguous():view(-1)
   return ('%.6f'):format(flat:dot(torch.range(1, flat:size(1)):mul(0.37):cos()))
end

local function each(value, f)
   if type(value) == 'table' then
      for _, item in ipairs(value) do each(item, f) end
   else
      f(value)
   end
end

local function random_like(value)
   if type(value) ~= 'table' then return torch.randn(value:size()) end
   local made = {}
   for i, item in ipairs(value) do made[i] = random_like(item) end
   return made
end

local function scale_of(m) return torch.type(m):match('^nn.Seq%u') and 1 or 0.5 end   -- these take no other

local function gradients(m)
   local _, found = m:parameters()
   local parts = {}
   for i, one in ipairs(found or {}) do parts[i] = sum(one) end
   return table.concat(parts, ' ')
end

local function sorted(t)
   local keys = {}
   for key in pairs(t) do keys[#keys + 1] = key end
   table.sort(keys)
   return keys
end

-- What is done: words that calls of a module stand for.
local deeds = {
   'evaluate forward backward',
   'forward evaluate backward',
   'evaluate forward training backward',
   'forward backward evaluate forward backward',
   'evaluate forward backward forward backward',
   'evaluate forward backward forget forward backward',
   'evaluate forward backward zero update forward backward',
   'evaluate forward backward training forget forward backward',
   'evaluate forward forward backward',
   'evaluate forward training forward backward',
   'evaluate backward',
   'forward backward backward',
   'evaluate forward backward backward',
   'evaluate forward looked backward',
   'evaluate forward clone backward',
   'forward backward evaluate forget forward looked backward',
   'evaluate forward halves',
   'evaluate forward updates',
   'forward halves',
   'forward other_gradient',
   'forward other_input',
   'forward twice',
   'forward changed',
   'forward updates',
   'forward shared_updates',
   'forward default_updates',
   'forward backward_update',
   'forward shared_updates forward backward',
   'evaluate forward other_gradient',
   'forward parameters_alone',
}

-- What a backward can be, of an input and a gradient. `again` gives others of the same sizes.
local ways = {}
function ways.backward(m, x, g) m:backward(x, g) end
function ways.halves(m, x, g)
   m:updateGradInput(x, g)
   m:accGradParameters(x, g, scale_of(m))
end
function ways.other_gradient(m, x, g, again)
   m:updateGradInput(x, g)
   m:accGradParameters(x, again(g), scale_of(m))
end
function ways.other_input(m, x, g, again)
   m:updateGradInput(x, g)
   m:accGradParameters(again(x), g, scale_of(m))
end
function ways.twice(m, x, g)
   m:updateGradInput(x, g)
   m:accGradParameters(x, g, 1)
   m:accGradParameters(x, g, 1)
end
function ways.changed(m, x, g)                       -- in the memory that updateGradInput was given
   m:updateGradInput(x, g)
   each(g, function(t) t:mul(2):add(0.5) end)
   m:accGradParameters(x, g, 1)
end
function ways.parameters_alone(m, x, g) m:accGradParameters(x, g, 1) end
function ways.updates(m, x, g)
   m:updateGradInput(x, g)
   m:accUpdateGradParameters(x, g, 0.1)
end
function ways.shared_updates(m, x, g)
   m:updateGradInput(x, g)
   m:sharedAccUpdateGradParameters(x, g, 0.1)
end
function ways.default_updates(m, x, g)
   m:updateGradInput(x, g)
   m:defaultAccUpdateGradParameters(x, g, 0.1)
end
function ways.backward_update(m, x, g) m:backwardUpdate(x, g, 0.1) end

-- Go back and write what there is then.
local function go_back(m, how, x, g, line)
   local before = how:match('update') and sum(m:parameters())
   ways[how](m, x, g, random_like)
   line[#line + 1] = sum(m.gradInput)
   line[#line + 1] = gradients(m)
   local after = how:match('update') and sum(m:parameters())
   if after and after ~= before then line[#line + 1] = after end
end

local chosen = {}
for _, name in ipairs(arg) do chosen[name] = true end

local function tell(name, build, forward, backward)
   for _, deed in ipairs(deeds) do
      torch.manualSeed(5)
      local m = build()
      m:zeroGradParameters()
      local past, line = {}, {}
      local calls = {
         forward = function() forward(m, past) end,
         evaluate = function() m:evaluate() end,
         training = function() m:training() end,
         forget = function() m:forget() end,
         zero = function() m:zeroGradParameters() end,
         update = function() m:updateParameters(0.1) end,
         clone = function() m = m:clone() end,
         looked = function()
            for _, part in ipairs(m:listModules()) do
               for _, clone in pairs(part.sharedClones or {}) do local _ = clone.output, clone.gradInput end
            end
         end,
      }
      for word in deed:gmatch('[%a_]+') do
         local ok = pcall(calls[word] or backward, m, past, line, word)
         if not ok then
            line[#line + 1] = 'error'
            break
         end
      end
      io.write(('%s: %s: %s\n'):format(name, deed, table.concat(line, ' | ')))
   end
end

-- One step a call: the last so many of them are gone back through, the last one first.
local function step_forward(m, past)
   for step = 1, steps do
      past[#past + 1] = torch.randn(batch, size)
      m:forward(past[#past])
   end
end
local function step_backward(m, past, line, how)
   for step = math.max(#past, 1), math.max(1, #past - 4), -1 do
      local gradient = torch.randn(batch, size)
      past[step] = past[step] or torch.randn(batch, size)
      go_back(m, how, past[step], gradient, line)
   end
end
for _, name in ipairs(sorted(stepped)) do
   if next(chosen) == nil or chosen[name] then tell(name, stepped[name], step_forward, step_backward) end
end

-- Whole sequences.
local sequences = {}
for _, name in ipairs(sorted(stepped)) do
   sequences['Sequencer of ' .. name] = function() return nn.Sequencer(stepped[name]()) end
   for _, mode in ipairs{'both', 'eval'} do
      sequences['Sequencer of ' .. name .. ', ' .. mode] = function() return nn.Sequencer(stepped[name]()):remember(mode) end
   end
end
function sequences.BiSequencer() return nn.BiSequencer(nn.FastLSTM(size, size), nn.GRU(size, size), nn.CAddTable()) end
function sequences.BiSequencerLM() return nn.BiSequencerLM(nn.FastLSTM(size, size), nn.GRU(size, size), nn.CAddTable()) end
function sequences.layer() return nn.Sequencer(nn.Linear(size, size)) end
for _, name in ipairs{'SeqLSTM', 'SeqGRU', 'SeqLSTMP'} do
   local function made()
      return name == 'SeqLSTMP' and nn.SeqLSTMP(size, 4, size) or nn[name](size, size)
   end
   sequences[name] = made
   for _, mode in ipairs{'both', 'eval'} do
      sequences[name .. ', ' .. mode] = function() local m = made() m:remember(mode) return m end
   end
end
function sequences.SeqBRNN() return nn.SeqBRNN(size, size) end

local function many(m)
   if torch.type(m):match('Seq%u%u') or torch.type(m):match('SeqLSTM') then return torch.randn(steps, batch, size) end
   local given = {}
   for step = 1, steps do given[step] = torch.randn(batch, size) end
   return given
end
local function sequence_forward(m, past)
   past[1] = many(m)
   m:forward(past[1])
end
local function sequence_backward(m, past, line, how)
   local gradient = many(m)
   past[1] = past[1] or many(m)
   go_back(m, how, past[1], gradient, line)
end
for _, name in ipairs(sorted(sequences)) do
   if next(chosen) == nil or chosen[name] then tell(name, sequences[name], sequence_forward, sequence_backward) end
end

-- One input for several steps.
local repeated = {}
for _, name in ipairs(sorted(stepped)) do
   repeated['Repeater of ' .. name] = function() return nn.Repeater(stepped[name](), steps) end
end
function repeated.RecurrentAttention()
   local rnn = nn.Recurrent(size, nn.Sequential():add(nn.ParallelTable():add(linear()):add(linear())):add(nn.CAddTable()), linear())
   return nn.RecurrentAttention(rnn, nn.Sequential():add(linear()):add(nn.Tanh()), steps, {size})
end
local function repeat_forward(m, past)
   past[1] = torch.randn(batch, size)
   m:forward(past[1])
end
local function repeat_backward(m, past, line, how)
   local gradient = {}
   for step = 1, steps do gradient[step] = torch.randn(batch, size) end
   past[1] = past[1] or torch.randn(batch, size)
   go_back(m, how, past[1], gradient, line)
end
for _, name in ipairs(sorted(repeated)) do
   if next(chosen) == nil or chosen[name] then tell(name, repeated[name], repeat_forward, repeat_backward) end
end
