-- What a program sees that keeps results of a module, and views of them, over the module's next call.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}. Each line: the number of the case, which result, and
-- for each tensor in it what the tensor and a view of it show after the next call on an input of the same sizes: `new`
-- numbers, `old` ones, or something `else`; `-` where the numbers are the same; or `error`.
require 'rnn'
require 'nngraph'
require 'nnx'

local cases = dofile(arg[1])
local write = io.write
io.write = function() end
print = function() end

function R(...) torch.manualSeed(7) return torch.randn(...) end    -- of both signs
function U(...) torch.manualSeed(7) return torch.rand(...) end     -- positive
function P(...) torch.manualSeed(7) return torch.rand(...):add(0.1) end
function I(n, ...) torch.manualSeed(7) return torch.Tensor(...):random(1, n) end
function L(t) return torch.LongTensor(t) end
function T(t) return torch.Tensor(t) end
function joined(n, m) return nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(n, m)) end
function pooled(p, x) p:forward(x) return p end

local function leaves(value, found)
   found = found or {}
   if torch.isTensor(value) then
      found[#found + 1] = value
   elseif type(value) == 'table' then
      for _, item in ipairs(value) do leaves(item, found) end
   end
   return found
end

local function copied(value, change)
   if torch.isTensor(value) then return change(value) end
   if type(value) ~= 'table' then return value end
   local result = {}
   for i, item in ipairs(value) do result[i] = copied(item, change) end
   return result
end

-- Another input of the same sizes: what looks like numbers of classes or items stays.
local function other(value)
   return copied(value, function(x)
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

local function make(expr, seed)
   torch.manualSeed(seed) math.randomseed(seed)
   return assert(loadstring('return ' .. expr))()
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
         local gradient = copied(m:forward(x), function(y) return y:clone():fill(0.5) end)
         local found = kept(m:backward(x, gradient))
         local second = other(x)
         torch.manualSeed(seed)
         m:forward(second)
         return told(found, m:backward(second, copied(gradient, function(y) return y:clone():mul(3) end)))
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
