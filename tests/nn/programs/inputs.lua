-- What the programs of this folder begin with: the packages, the functions that the cases are written with, and
-- map(value, f): the same nesting, each tensor through f. Nothing is printed but by the function that this file returns.
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

function map(v, f)
   if torch.isTensor(v) then return f(v) end
   if type(v) ~= 'table' then return v end
   local made = {}
   for i = 1, #v do made[i] = map(v[i], f) end
   return made
end

-- What an expression makes, the same in every run.
function make(expr, seed)
   torch.manualSeed(seed) math.randomseed(seed)
   return assert(loadstring('return ' .. expr))()
end

return write
