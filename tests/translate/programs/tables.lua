-- Tables of tables.
local grid = {}
for r = 1, 3 do
   grid[r] = {}
   for c = 1, 3 do grid[r][c] = r * c end
end
print(grid[2][3], #grid, #grid[1])
local people = {
   {name = 'Ann', age = 30, tags = {'x', 'y'}},
   {name = 'Bob', age = 25, tags = {}},
}
table.insert(people, {name = 'Cy', age = 35, tags = {'z'}})
table.sort(people, function(a, b) return a.age < b.age end)
for i, person in ipairs(people) do print(i, person.name, person.age, #person.tags) end
local counts = {}
for letter in ('mississippi'):gmatch('.') do counts[letter] = (counts[letter] or 0) + 1 end
local letters = {}
for letter in pairs(counts) do letters[#letters + 1] = letter end
table.sort(letters)
for _, letter in ipairs(letters) do io.write(letter, counts[letter], ' ') end
print()
local groups = {}
for _, word in ipairs{'apple', 'avocado', 'banana', 'blueberry', 'cherry'} do
   local initial = word:sub(1, 1)
   groups[initial] = groups[initial] or {}
   table.insert(groups[initial], word)
end
print(#groups.a, #groups.b, groups.c[1])
local stack = {}
stack[#stack + 1] = 1
stack[#stack + 1] = 2
local top = stack[#stack]
stack[#stack] = nil
print(top, #stack)
local set = {red = true, green = true}
print(set.red, set.blue == nil, set['green'])
set.red = nil
local left = 0
for _ in pairs(set) do left = left + 1 end
print(left)
local numbers = {5, 3, 8, 1}
table.sort(numbers)
print(table.concat(numbers, ','))
table.sort(numbers, function(a, b) return a > b end)
print(table.concat(numbers, ','))
local copy = {}
for k, v in ipairs(numbers) do copy[k] = v end
copy[1] = 100
print(numbers[1], copy[1])
table.remove(copy, 2)
print(#copy, copy[2])
local matrix = {{1, 2}, {3, 4}}
local trace = 0
for i = 1, #matrix do trace = trace + matrix[i][i] end
print(trace)
local config = {size = {width = 3, height = 4}, name = 'box'}
config.size.depth = 5
config.name = config.name .. '!'
print(config.size.width * config.size.height * config.size.depth, config.name)
local sparse = {[10] = 'ten', [20] = 'twenty'}
print(sparse[10], sparse[15] == nil)
local list = {10, 20, 30}
for i = #list, 1, -1 do io.write(list[i], ' ') end
print()
local nested = {a = {b = {c = 1}}}
print(nested.a.b.c)
local keys = {}
for key in pairs{one = 1, two = 2} do table.insert(keys, key) end
table.sort(keys)
print(keys[1], keys[2])
print(next({}) == nil, #{1, 2, 3}, unpack({1, 2}))
-- lists of one type, each filled by a loop of its own, where an item is stored twice
for turn = 1, 2 do
   local ahead, back = {}, {}
   for i = 1, 3 do ahead[i] = turn * i end
   for i = 1, 3 do
      back[i] = ahead[3 - i + 1]
      back[i] = back[i] + 1
   end
   for _, one in ipairs({ahead, back}) do print(#one, one[1], one[3]) end
end
