-- Values of several kinds, of which what is done with them says which they are.
require 'torch'
torch.manualSeed(5)

local function grown(of, amount)
   local start = 0
   if amount then start = torch.range(1, amount) end
   local many = {of, start, 'end'}
   return many[2], #many
end

local held = {}
function held.keep(x)
   held.value = x
end

held.keep(3)
print(held.value)
held.keep(torch.range(1, 6):view(2, 3))
print(held.value:size(2), held.value:sum())
held.value:mul(2)
print(held.value:select(1, 2):max(), held.value:clone():add(1):narrow(2, 2, 2):sum())

local first, count = grown('x', 4)
print(first:narrow(1, 2, 2):sum(), count, first[4])
local none = grown('y')
print(none + 1)

local parts = {}
for i = 1, 3 do
   if i == 2 then
      parts[i] = {torch.ones(i), torch.zeros(i)}
   else
      parts[i] = torch.ones(i, 2):mul(i)
   end
end
print(parts[1]:dim(), parts[3]:size(1), parts[3]:sum(), torch.isTensor(parts[2]))
local ok = pcall(function() return parts[2]:dim() end)
print(ok)
local wrong = pcall(function() return none:dim() end)
print(wrong)

local both = {}
both[1] = {3, 4}
both[2] = torch.range(1, 4):view(2, 2)
print(both[2][{{}, 1}]:sum(), both[2][{2, 2}])
both[2][{{}, 2}] = 7
print(both[2]:sum())
