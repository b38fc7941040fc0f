-- What the parts of recurrent modules show that a script looks into: gates, their layers, clones for steps, after runs of
-- sequences and of single steps. Each line: the module, how it runs, what has been done, the part, and a number in which
-- every element counts. Arguments: names of modules, all if none. After an update of the parameters only what the nonlinear layers gave is looked at.
require 'rnn'

local size, rows, steps = 3, 2, 3

local function digest(value)
   if not torch.isTensor(value) then return type(value) end
   if value:nElement() == 0 then return '[]' end
   local x = value:contiguous():view(-1)
   return ('%s:%.5f'):format(table.concat(value:size():totable(), 'x'), x:dot(torch.range(1, x:size(1)):mul(0.37):cos()))
end

local MODULES = {
   LSTM = function() return nn.LSTM(size, size) end,
   ['LSTM without peepholes'] = function() return nn.LSTM(size, size, nil, false) end,
   FastLSTM = function() return nn.FastLSTM(size, size) end,
   GRU = function() return nn.GRU(size, size) end,
   ['masked GRU'] = function() return nn.GRU(size, size):maskZero(1) end,
}
local NAMED = {'inputGate', 'forgetGate', 'hiddenLayer', 'cellLayer', 'outputGate', 'i2g', 'o2g', 'recurrentModule'}

-- All modules below one, with their paths.
local function parts_of(m, path, list)
   list[#list + 1] = {path, m}
   for i, child in ipairs(m.modules or {}) do parts_of(child, path .. '.' .. i, list) end
   return list
end

local function is_nonlinear(m)
   while torch.type(m) == 'nn.Sequential' do m = m:get(m:size()) end
   local kind = torch.type(m)
   return kind == 'nn.Sigmoid' or kind == 'nn.Tanh'
end

local function look(name, m, say, nonlinear)
   local roots = {}
   for _, field in ipairs(NAMED) do
      if m[field] then roots[#roots + 1] = {field, m[field]} end
   end
   if #m.sharedClones > 1 then roots[#roots + 1] = {'clone 2', m.sharedClones[2]} end
   for _, root in ipairs(roots) do
      for _, part in ipairs(parts_of(root[2], root[1], {})) do
         local path, inner = unpack(part)
         if not nonlinear or is_nonlinear(inner) then
            say(path, digest(inner.output), nonlinear and '' or digest(inner.gradInput))
         end
      end
   end
end

local function random() return torch.randn(rows, size) end
local function sequence() local t = {} for i = 1, steps do t[i] = random() end return t end

local wanted = {}
for _, name in ipairs(arg) do wanted[name] = true end

local names = {}
for name in pairs(MODULES) do names[#names + 1] = name end
table.sort(names)
for number, name in ipairs(names) do
   if not next(wanted) or wanted[name] then
      for _, as_sequence in ipairs{true, false} do
         for _, looks_early in ipairs{true, false} do
            torch.manualSeed(number)
            local inner = MODULES[name]()
            local m = as_sequence and nn.Sequencer(inner) or inner
            local done = (as_sequence and 'sequence' or 'step') .. (looks_early and ', early' or '')
            local function say(what) return function(...) print(name, done, what, ...) end end
            m:zeroGradParameters()
            for turn = 1, 2 do
               local x = as_sequence and sequence() or random()
               local g = as_sequence and sequence() or random()
               if not as_sequence then m:forget() end
               m:forward(x)
               if looks_early and turn == 1 then look(name, inner, say('forward')) end
               m:backward(x, g)
               look(name, inner, say('backward'))
            end
            local x = as_sequence and sequence() or random()
            if not as_sequence then m:forget() end
            m:forward(x)
            m:updateParameters(0.1)
            look(name, inner, say('update'), true)
         end
      end
   end
end
