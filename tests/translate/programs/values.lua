-- Numbers, truth and text as Lua has them.
local a = {10, 20, 30}
print(a[#a])
local s = 'abc'
print(s:sub(0), s:sub(2, 10), s:sub(4), s:sub(-10), '[' .. s:sub(3, 2) .. ']')
print(7 % -3, -7 % 3, 5.5 % 2, math.fmod(-7, 3))
print(math.floor(-3.5), math.ceil(-3.5), math.floor(7 / 2), math.max(1, 2.5))
print(1e15, 123456789012345678, 0.1 + 0.2, 100 / 2, 1e100, -0.0)
print(tostring(1e15), 2 ^ 53, 10 / 3)
local w = 0
while w < 3 do w = w + 1 if w == 2 then break end end
print(w)
print(not nil, not 0, not '')
local z = 0
if z then print('zero is true') end
local e = ''
if e then print('empty is true') end
local q = z and 'yes' or 'no'
print(q)
local b = false
print(b == false, b or 'default')
local p = nil
print(p == nil, p or 'nil')
