-- What a program sees that keeps results of a module, and views of them, over the module's next call.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}. Each line: the number of the case, which result, and
-- for each tensor in it what the tensor and a view of it show after the next call on an input of the same sizes: `new`
-- numbers, `old` ones, or something `else`; `-` where the numbers are the same; or `error`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

local function leaves(value, found)
   found = found or {}
   if torch.isTensor(value) then
      found[#found + 1] = value
   elseif type(value) == 'table' then
      for _, item in ipairs(value) do leaves(item, found) end
   end
   return found
end

-- Another input of the same sizes: what looks like numbers of classes or items stays.
local function other(value)
   return map(value, function(x)
      local whole = x:nElement() == 0 or (x:clone():apply(function(e) return math.floor(e) end) - x):abs():max() == 0
      return whole and x:clone() or x:clone():mul(0.5):add(0.125)
   end)
end

local function view(x)
   return x.new(x:storage(), x:storageOffset(), x:size(), x:stride())
end

local function kept(value)
   local found = {}
   for i, x in ipairs(leaves(value)) do
      if x:dim() > 0 then found[#found + 1] = {place = i, tensor = x, view = view(x), before = x:clone()} end
   end
   return found
end

local function same(a, b)
   return a:isSameSizeAs(b) and (a:nElement() == 0 or torch.eq(a, b):all())
end

local function shown(x, new, old)
   return same(x, new) and 'new' or same(x, old) and 'old' or 'else'
end

local function told(found, value)
   local after, words = leaves(value), {}
   for _, one in ipairs(found) do
      local new = after[one.place]
      if not new or same(new, one.before) then      -- nothing to be seen
         words[#words + 1] = '-'
      else
         words[#words + 1] = shown(one.tensor, new, one.before) .. ',' .. shown(one.view, new, one.before)
      end
   end
   return words[1] and table.concat(words, ' ') or 'none'
end

for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for variant, f in pairs {
      output = function(m, x)
         local found = kept(m:forward(x))
         torch.manualSeed(seed)
         return told(found, m:forward(other(x)))
      end,
      gradInput = function(m, x)
         local gradient = map(m:forward(x), function(y) return y:clone():fill(0.5) end)
         local found = kept(m:backward(x, gradient))
         local second = other(x)
         torch.manualSeed(seed)
         m:forward(second)
         return told(found, m:backward(second, map(gradient, function(y) return y:clone():mul(3) end)))
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
