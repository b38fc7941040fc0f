-- What is in the fields of a model when a program looks at them late, and when it has looked after each call: the same,
-- for looking changes nothing. Printed are the models and the calls for which it does.
--
-- Calls: f and b are a forward and a backward, n a forward of another batch, u, z and p updateParameters,
-- zeroGradParameters and getParameters; s and c save and clone the model and go on with that.
require 'nngraph'

local models = {
   function() return nn.Sequential():add(nn.Linear(3, 2)):add(nn.Identity()) end,
   function() return nn.Sequential():add(nn.Linear(3, 2)):add(nn.View(-1)) end,
   function() return nn.Sequential():add(nn.ConcatTable():add(nn.Identity()):add(nn.Linear(3, 2))) end,
   function() return nn.ParallelTable():add(nn.Linear(3, 2)):add(nn.Identity()), 2 end,
   function() return nn.Sequential():add(nn.ParallelTable():add(nn.Linear(3, 2)):add(nn.Tanh())):add(nn.JoinTable(2)), 2 end,
   function() return nn.Sequential():add(nn.SplitTable(2)):add(nn.NarrowTable(1, 2)):add(nn.CMulTable()) end,
   function() return nn.Sequential():add(nn.FlattenTable()):add(nn.SelectTable(2)):add(nn.Linear(3, 2)), 2 end,
   function()
      local i, j = nn.Identity()(), nn.Identity()()
      return nn.gModule({i, j}, {nn.CAddTable()({nn.Linear(3, 2)(i), nn.Linear(3, 2)(j)}), nn.Identity()(i)}), 2
   end,
}
local CALLS = {'fbf', 'fbfbf', 'fbuf', 'fbpf', 'fbfbn', 'fbnb', 'fbfbnbn', 'fbs', 'fbfbfs', 'fbfc', 'fbns'}

local function text(v)
   if torch.isTensor(v) then return table.concat(v:size():totable(), 'x') .. ':' .. (v:dim() > 0 and ('%.9g'):format(v:sum()) or '') end
   if type(v) ~= 'table' then return type(v) end
   local parts = {}
   for i = 1, #v do parts[i] = text(v[i]) end
   return '{' .. table.concat(parts, ' ') .. '}'
end

local function fields(model)
   local parts = {}
   model:apply(function(m) parts[#parts + 1] = torch.typename(m) .. ' ' .. text(m.output) .. ' ' .. text(m.gradInput) end)
   return table.concat(parts, ', ')
end

local function gradient(y, number)
   if torch.isTensor(y) then return y:clone():fill(number) end
   local parts = {}
   for i, part in ipairs(y) do parts[i] = gradient(part, number) end
   return parts
end

local function run(new, calls, is_watched)
   torch.manualSeed(1)
   local model, inputs = new()
   local rows, y, x = 2
   local function batch()
      if not inputs then return torch.randn(rows, 3) end
      return {torch.randn(rows, 3), torch.randn(rows, 3)}
   end
   x = batch()
   for i = 1, #calls do
      local call = calls:sub(i, i)
      if call == 'n' then rows, x = rows + 1, nil end
      x = x or batch()
      if call == 'f' or call == 'n' then y = model:forward(x)
      elseif call == 'b' then model:zeroGradParameters() model:backward(x, gradient(y, i))
      elseif call == 'u' then model:updateParameters(0.1)
      elseif call == 'z' then model:zeroGradParameters()
      elseif call == 'p' then model:getParameters()
      elseif call == 's' then model = torch.deserialize(torch.serialize(model))
      elseif call == 'c' then model = model:clone() end
      if is_watched then fields(model) end
   end
   return fields(model)
end

for number, new in ipairs(models) do
   for _, calls in ipairs(CALLS) do
      local late, watched = run(new, calls, false), run(new, calls, true)
      if late ~= watched then print(number, calls, late, watched) end
   end
end
