-- Functions that a program puts into Lua's libraries and Torch7's packages.
require 'torch'
function string.shout(s, n) return s:upper() .. string.rep('!', n) end
function table.total(t)
   local sum = 0
   for i = 1, #t do sum = sum + t[i] end
   return sum
end
function table:size2() return #self * 2 end
torch.twice = function(x) return x * 2 end
local function used() return string.shout('a', 2) end
print(used(), table.total({1, 2, 3}), table.size2({1, 2}), torch.twice(torch.ones(2)):sum())
function math.round(x) return math.floor(x + 0.5) end
local round = math.round
print(round(2.6), math.round(-1.2))
