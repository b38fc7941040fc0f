-- The string library.
local text = 'The quick brown fox, 42 years old; and a fox'
print(text:len(), #text, text:upper(), string.lower(text))
print(text:sub(1, 3), text:sub(-3), text:sub(5, -5), text:sub(5, 9), string.sub(text, 2))
local from, to = text:find('fox')
print(from, to)
print((text:find('fox', 20, true)), (text:find('dog', 1, true)))
local at = string.find(text, ',')
print(at)
if text:find('quick') then print('it is quick') end
if not text:find('slow') then print('it is not slow') end
local number = text:match('%d+')
print(number, tonumber(number) + 1)
local key, value = ('width = 30'):match('^(%w+)%s*=%s*(%w+)$')
print(key, value)
local nothing = text:match('%d%d%d')
print(nothing == nil)
for word in text:gmatch('%a+') do io.write(word, '|') end
print()
for k, v in string.gmatch('a=1, b=2, c=3', '(%w+)=(%w+)') do print(k, v) end
local replaced, count = text:gsub('fox', 'dog')
print(replaced, count)
print((text:gsub('%s+', ' ')))
print((text:gsub('(%w+) (%w+)', '%2 %1', 1)))
print((('hello'):gsub('l', function(c) return c:upper() end)))
print((('$name is $age'):gsub('%$(%w+)', {name = 'Ann', age = '30'})))
print(('x'):rep(5), ('ab'):rep(3, '-'), ('abc'):reverse())
print(('A'):byte(), string.char(72, 105), ('abc'):byte(2))
print(string.format('%5d|%-5d|%05.1f|%s|%s|%x|%c|%%|%g', 42, 42, 3.14159, 'str', 'quoted', 255, 65, 0.1))
print(string.format('%10s|%-10s|%.3s', 'right', 'left', 'truncated'))
local parts = {}
for piece in ('one,two,three'):gmatch('[^,]+') do parts[#parts + 1] = piece end
print(#parts, table.concat(parts, ' + '))
local trimmed = ('   padded  '):match('^%s*(.-)%s*$')
print('[' .. trimmed .. ']')
print(tostring(12) .. tostring(true) .. tostring(nil), 1 .. 2)
print(('%d items'):format(3), #'abc' + 1, -2 ^ 2, 7 % 3, -7 % 3, 2 ^ 10, 7 / 2)
local s = ''
for i = 1, 3 do s = s .. i .. ',' end
print(s)
local a, z = 'a', 'Z'
print(a < 'b', z < a, a == 'abc', #a == 1)
