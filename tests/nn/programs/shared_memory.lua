-- Whether the results of a module lie in memory that it was given.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}. Each line: the number of the case, which result, and
-- for each tensor in it whether it shares a storage with a tensor of the `input`, of the `gradOutput`, or with `none`; or
-- `error`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

local function leaves(value, found)
   found = found or {}
   if torch.isTensor(value) then
      if value:nElement() > 0 then found[#found + 1] = value end
   elseif type(value) == 'table' then
      for _, item in ipairs(value) do leaves(item, found) end
   end
   return found
end

-- A new number in the first element of one tensor is seen in the other.
local function share(one, other)
   if torch.type(one) ~= torch.type(other) then return false end
   return torch.pointer(one:storage()) == torch.pointer(other:storage())
end

local function told(value, given)
   local words = {}
   for _, one in ipairs(leaves(value)) do
      local word = 'none'
      for name, tensors in pairs(given) do
         for _, other in ipairs(leaves(tensors)) do
            if share(one, other) then word = name end
         end
      end
      words[#words + 1] = word
   end
   return words[1] and table.concat(words, ' ') or 'nothing'
end

for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for variant, f in pairs {
      output = function(m, x) return told(m:forward(x), {input = x}) end,
      gradInput = function(m, x)
         local gradient = map(m:forward(x), function(y) return y:clone():fill(0.5) end)
         return told(m:backward(x, gradient), {input = x, gradOutput = gradient})
      end,
   } do
      local ok, text = pcall(function()
         local m, x = make(expr, seed), make(input, seed)
         torch.manualSeed(seed)
         return f(m, x)
      end)
      write(('%d %s %s\n'):format(number, variant, ok and text or 'error'))
   end
end
