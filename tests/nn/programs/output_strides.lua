-- How the results of every module lie in memory, for inputs that lie in other ways than one element after the other.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}. Each line: the number of the case, how the input
-- lies, and sizes and strides of output and gradInput, or `error`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

local function text(v, depth)
   if torch.isTensor(v) then
      return table.concat(v:size():totable(), 'x') .. '/' .. table.concat(v:stride():totable(), ',')
   end
   if type(v) == 'table' and depth < 5 then
      local parts = {}
      for i = 1, #v do parts[i] = text(v[i], depth + 1) end
      return '{' .. table.concat(parts, ' ') .. '}'
   end
   return type(v)
end

local VARIANTS = {
   {'turned', function(t)
      if t:dim() < 2 then return t end
      return t:transpose(t:dim() - 1, t:dim()):contiguous():transpose(t:dim() - 1, t:dim())
   end},
   {'apart', function(t)
      if t:dim() < 2 then return t end
      local size = t:size()
      size[1] = size[1] * 2
      local wide = t.new(size):zero():unfold(1, 1, 2):select(t:dim() + 1, 1)
      return wide:copy(t)
   end},
   {'one', function(t)   -- of one row, whose stride nothing depends on
      if t:dim() < 2 then return t end
      local row = t:narrow(1, 1, 1):clone()
      local stride = row:stride()
      stride[1] = 7
      return t.new(row:storage(), 1, row:size(), stride)
   end},
}

for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for _, variant in ipairs(VARIANTS) do
      local ok, found = pcall(function()
         local m, x = make(expr, seed), make(input, seed)
         x = map(x, variant[2])
         torch.manualSeed(seed)
         local y = m:forward(x)
         local back = m:backward(x, gradient(y))
         return text(y, 0) .. ' ' .. text(back, 0)
      end)
      write(('%d %s %s\n'):format(number, variant[1], ok and found or 'error'))
   end
end
