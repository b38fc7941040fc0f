-- Which hidden states modules give before, between and after passes, by step and in which nesting; what is refused.
require 'rnn'
require 'nngraph'

local function show(value)
   if type(value) ~= 'table' then
      return torch.isTensor(value) and 'T' .. table.concat(value:size():totable(), 'x') or tostring(value)
   end
   local parts = {}
   for key, item in pairs(value) do parts[#parts + 1] = key .. '=' .. show(item) end
   table.sort(parts)
   return '{' .. table.concat(parts, ' ') .. '}'
end

local function recurrent() return nn.Recurrent(2, nn.Linear(2, 2), nn.Linear(2, 2), nn.Sigmoid(), 99) end
local cells = {
   function() return nn.FastLSTM(2, 2) end,
   function() return nn.GRU(2, 2) end,
   recurrent,
   function() return nn.Recursor(nn.Sequential():add(nn.FastLSTM(2, 2)):add(nn.Linear(2, 2))) end,
   function() return nn.Recursor(nn.Sequential():add(recurrent()):add(nn.Linear(2, 2))) end,
   function() return nn.Recursor(nn.Sequential():add(nn.Linear(2, 2)):add(nn.GRU(2, 2))) end,
   function() return nn.Recursor(nn.Linear(2, 2)) end,
   function()
      local both = nn.ConcatTable():add(nn.LSTM(2, 2)):add(nn.Identity())
      return nn.Sequential():add(nn.Linear(2, 2)):add(both):add(nn.CAddTable())
   end,
   function() return nn.GRU(2, 2):maskZero(1) end,
   function()
      local step = nn.Sequential():add(nn.ParallelTable():add(nn.Linear(2, 2)):add(nn.Linear(2, 2))):add(nn.CAddTable())
      return nn.Recurrence(step, 2, 1)
   end,
   function()
      local input = nn.Identity()()
      return nn.gModule({input}, {nn.Linear(2, 2)(nn.FastLSTM(2, 2)(input))})
   end,
}
local wrappers = {function(m) return m end, nn.Recursor, nn.Sequencer, function(m) return nn.Repeater(m, 3) end}
for number, cell in ipairs(cells) do
   for _, wrap in ipairs(wrappers) do
      torch.manualSeed(1)
      local m, x = wrap(cell()), torch.randn(3, 2)
      local kind = torch.type(m)
      local function try(step, name, f, ...)
         local ok, value = pcall(f, ...)
         print(('%d %s %s %s: %s'):format(number, kind, step, name, ok and show(value) or 'error'))
      end
      local function forward()
         if kind == 'nn.Sequencer' then return m:remember() and m:forward{x, x} end
         m:forward(x)
         return m:forward(x)
      end
      local function backward()
         if kind == 'nn.Sequencer' then return m:backward({x, x}, {x, x}) end
         if kind == 'nn.Repeater' then return m:backward(x, {x, x, x}) end
         m:backward(x, x)
         return m:backward(x, x)
      end
      for step = 0, 2 do
         try(step, 'state', m.getHiddenState, m, step, x)
         try(step, 'gradient', m.getGradHiddenState, m, step, x)
         if step == 1 then
            try(step, 'forward', forward)
            try(step, 'state', m.getHiddenState, m, step)
            try('last', 'state', m.getHiddenState, m)
            try(step, 'backward', backward)
            try(step, 'gradient', m.getGradHiddenState, m, step)
            try(0, 'gradient', m.getGradHiddenState, m, 0)
         end
      end
      try(1, 'set', m.setHiddenState, m, 1, {})
      try(1, 'set gradient', m.setGradHiddenState, m, 1, {})
   end
end
