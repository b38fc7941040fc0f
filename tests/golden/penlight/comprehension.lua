local C = require('pl.comprehension').new()
show(C('x for x=1,10')(), C 'x^2 for x=1,4' ())
show(C '{x,x^2} for x=1,4' (), C '2*x for x' {1, 2, 3})
show(C 'x for x if x % 2 == 0' {1, 2, 3, 4, 5}, C '{x,y} for x = 1,2 for y = 1,2' ())
show(C '{x,y} for x for y'({1, 2}, {10, 20}))
show(C 'sum(x^2 for x)' {2, 3, 4}, C 'min(x for x)' {4, 2, 3}, C 'max(x for x)' {4, 7, 3}, C 'max(x for x)' {})
show(C 'table(k,v for v,k in pairs(_1))' {a = 'p', b = 'q'}, C 'list(x for x=10,1,-4)' ())
show(C '_1 * x + _2 for x'(10, 1, {1, 2}), C 'x + y for x for y=1,x if x > 1 if y < 3' {1, 2, 3})
show(C 'i .. v for i,v in ipairs(_1)' {'a', 'b'}, C "'_3' .. x for x" {1})
show(C ' sum ( x for x = 1 , 3 ) ' (), C 'math.max(x, 2) for x' {1, 3}, C '(x) for x=1,2' ())
show(C 'x == 2 for x' {1, 2}, C '{x = 1, f(x)} for x' and 'compiled')
show(C['x for x'] == C['x for x'], C['x for x'] {5})
local E = require('pl.comprehension').new {k = 3}
show(E 'k * x for x' {1, 2})
local D = C.new()
show(D 'x for x' {1})
for _, text in ipairs {'x', 'x for', 'x for 3', 'x for x=1', 'x for __x', 'x for x if', 'x for x y', 'sum(x for x', 'x for x=1,2,3,4',
                       'x, y for x', 'x for x='} do
   local ok, err = pcall(function() return C(text) end)
   err = err:gsub('^[^\n]-:%d+: ', '')
   print(text, ok, err:match "^.- near '[^']*'" or err)
end
