-- What the programs of this folder begin with: the packages, the functions that the cases are written with, and
-- what several of them do to values. Nothing is printed but by the function that this file returns.
require 'rnn'
require 'nngraph'
require 'nnx'

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

-- The same nesting, each tensor through f.
function map(v, f)
   if torch.isTensor(v) then return f(v) end
   if type(v) ~= 'table' then return v end
   local made = {}
   for i = 1, #v do made[i] = map(v[i], f) end
   return made
end

-- A gradient of the same nesting, in which no two elements are alike.
function gradient(y)
   if type(y) == 'number' then return 1 end
   return map(y, function(t) return t:clone():copy(torch.range(1, t:nElement()):mul(2.4):sin():viewAs(t)) end)
end

-- Sizes, and a number in which every element counts.
function text(v, depth)
   if torch.isTensor(v) then
      if v:nElement() == 0 then return '[]' end
      local flat = v:double():contiguous():view(-1)
      return table.concat(v:size():totable(), 'x') .. ':' .. ('%.5g'):format(flat:dot(torch.range(1, flat:size(1)):mul(0.37):cos()))
   end
   if type(v) == 'table' and depth < 5 then
      local parts = {}
      for i = 1, #v do parts[i] = text(v[i], depth + 1) end
      return '{' .. table.concat(parts, ' ') .. '}'
   end
   return type(v)
end

-- What an expression makes, the same in every run.
function make(expr, seed)
   torch.manualSeed(seed) math.randomseed(seed)
   return assert(loadstring('return ' .. expr))()
end

return write
