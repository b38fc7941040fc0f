-- A Markov chain of letters: learns from a few names which letter follows which two, and makes names up.
-- Tables of tables, closures as iterators, and functions with several results.
--
--    markov.lua [names]
require 'torch'

torch.manualSeed(7)

wanted = tonumber(arg[1]) or 8

local names = {
   'anna', 'hannah', 'johanna', 'susanna', 'rosanna', 'marianne', 'mariam', 'miriam', 'marion', 'roman',
   'ramona', 'simona', 'simon', 'mona', 'nina', 'marina', 'martina', 'martin', 'tina', 'tamina',
}

-- Calls a function for each two letters and the one that follows them; '^' stands before a name, '$' behind it.
local function eachTriple(name, visit)
   local padded = '^^' .. name .. '$'
   for i = 1, #padded - 2 do
      visit(padded:sub(i, i + 1), padded:sub(i + 2, i + 2))
   end
end

local following, totals = {}, {}
for _, name in ipairs(names) do
   eachTriple(name, function(pair, letter)
      following[pair] = following[pair] or {}
      following[pair][letter] = (following[pair][letter] or 0) + 1
      totals[pair] = (totals[pair] or 0) + 1
   end)
end

local pairsSeen, most, mostPair = 0, 0, ''
for pair, total in pairs(totals) do
   pairsSeen = pairsSeen + 1
   if total > most then most, mostPair = total, pair end
end
print(pairsSeen .. ' pairs; the most frequent is ' .. mostPair .. ', ' .. most .. ' times')

-- A letter at random, as often as it followed.
local function draw(pair)
   local left = torch.random(totals[pair])
   for letter, count in pairs(following[pair]) do
      left = left - count
      if left <= 0 then return letter end
   end
end

local function makeName(longest)
   local name, pair = '', '^^'
   while #name < longest do
      local letter = draw(pair)
      if letter == '$' then break end
      name = name .. letter
      pair = pair:sub(2) .. letter
   end
   return name, pair
end

local known = {}
for _, name in ipairs(names) do known[name] = true end
local new = 0
for i = 1, wanted do
   local name, ending = makeName(12)
   local shown = name:sub(1, 1):upper() .. name:sub(2)
   if not known[name] then new = new + 1 end
   print(string.format('%-12s ends in %s%s', shown, ending, known[name] and ' (known)' or ''))
end
print(('%d of %d are new'):format(new, wanted))
