-- Objects that say when they are equal, compared with each other and with what is none of them.
local Length = {}
Length.__index = Length
Length.__eq = function(a, b) return a.metres == b.metres end

function Length.new(metres)
   return setmetatable({metres = metres}, Length)
end

local mile, longer, metre = Length.new(1609), Length.new(1609), Length.new(1)
local function same(x, y)
   return x == y
end

print(mile == longer, mile == metre, mile ~= longer)
print(same(mile, longer), same(4, 4), same(mile, 1609), same('mile', mile))
print(mile == 'mile', 1 ~= metre)
local names = {[mile] = 'a mile', [metre] = 'a metre'}
print(names[mile], names[longer], names[metre])
