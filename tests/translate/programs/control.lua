-- Control flow of every kind.
local i = 0
while true do
   i = i + 1
   if i % 2 == 0 then
      if i == 8 then break end
   elseif i > 100 then
      print('never')
   else
      io.write(i, ' ')
   end
end
print('stopped at ' .. i)
repeat
   local half = math.floor(i / 2)
   i = half
until half < 2
print(i)
for k = 10, 1, -3 do io.write(k, ' ') end
print()
for x = 0, 1, 0.25 do io.write(x, ' ') end
print()
for k = 5, 1 do print('not at all', k) end
local found
for _, name in ipairs{'a', 'b', 'c'} do
   if name == 'b' then found = name break end
end
print(found)
local names = {'x', 'y', 'z'}
for index, name in ipairs(names) do io.write(index, '=', name, ' ') end
print()
local ages = {ann = 30, bob = 25, cy = 35}
local total, people = 0, 0
for name, age in pairs(ages) do
   total, people = total + age, people + 1
end
print(total / people)
do
   local i = 'inner'
   print(i)
end
print(i)
local function sign(x)
   if x > 0 then return 'positive' elseif x < 0 then return 'negative' end
   return 'zero'
end
print(sign(3), sign(-2), sign(0))
local a, b, c = 1, 2
print(a, b, c)
a, b = b, a
print(a, b)
local t = {1, 2, 3}
local k = 1
k, t[k] = 2, 10
print(k, t[1], t[2])
local x = nil
local y = x or 'default'
local z = x and 'set' or 'unset'
print(y, z, false or nil, not x, 1 and 2)
local n = 0
for outer = 1, 3 do
   for inner = 1, 3 do
      if inner == outer then goto continue end
      n = n + inner * outer
      ::continue::
   end
end
print(n)
while n > 0 do n = n - 7 end
print(n)
local count = 0
repeat count = count + 1 until count >= 5 or count < 0
print(count)
