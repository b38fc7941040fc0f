-- Groups points by k-means: tensors by index, masks and sums, until nothing changes any more.
--
--    k_means.lua [points]
require 'torch'

torch.manualSeed(3)

n = tonumber(arg[1]) or 60
k = 3

-- Points around three places.
local places = torch.Tensor{{0, 0}, {4, 0}, {0, 4}}
local points = torch.randn(n, 2)
for i = 1, n do points[i]:add(places[(i - 1) % k + 1]) end

local centres = points:narrow(1, 1, k):clone()
local nearest = torch.LongTensor(n):fill(0)
local distances = torch.Tensor(n, k)

-- Gives each point its nearest centre; how many have a new one.
local function assign()
   for c = 1, k do
      local differences = points - centres[c]:view(1, 2):expandAs(points)
      distances[{{}, c}] = torch.cmul(differences, differences):sum(2)
   end
   local _, places = distances:min(2)
   local changed = places:view(-1):ne(nearest):sum()
   nearest:copy(places:view(-1))
   return changed
end

local function move()
   for c = 1, k do
      local sum, count = torch.zeros(2), 0
      for i = 1, n do
         if nearest[i] == c then
            sum:add(points[i])
            count = count + 1
         end
      end
      if count > 0 then centres[c]:copy(sum / count) end
   end
end

local rounds = 0
while true do
   local changed = assign()
   if changed == 0 then break end
   move()
   rounds = rounds + 1
   print('round ' .. rounds .. ': ' .. changed .. ' points change, within ' .. distances:min(2):sum())
end

for c = 1, k do
   local members = nearest:eq(c):sum()
   print(string.format('centre %d: (%.4f, %.4f), %d points', c, centres[c][1], centres[c][2], members))
end
