local test = require 'pl.test'
local T = test.tuple
test.error_handler = function(file, line, got, needed, message)
   print(file:match '[^/]*$', line, got, needed, message)
end
test.asserteq(1, 1)
test.asserteq({1, {2}}, {1, {2}})
test.asserteq(1.2, 1.19, 0.02)
test.asserteq({1.2}, {1.19}, 0.02)
test.asserteq(T(string.find(' me', 'me')), T(2, 3))
test.asserteq(1, 2)
test.asserteq('a', 'b')
test.asserteq({1}, {2})
test.asserteq(nil, false)
test.asserteq(1.2, 1.1, 0.02)
test.asserteq(T(1, nil), T(1))
test.asserteq2(1, 1, 2, 2)
test.asserteq2(1, 2, 3, 4)
test.assertmatch('hello', '^he')
test.assertmatch('hello', 'x')
test.assertraise(function() error('some trouble', 0) end, 'trouble')
test.assertraise({error, 'other'}, 'other')
test.assertraise(function() error('some trouble', 0) end, 'none of it')
local function mine(x) test.complain(x, 'wanted', 'my words') end
local function outer(x)
   mine(x)
   return 1
end
outer(1)
show(T(1, nil, 'x'), T(), T(1, 2) == T(1, 2), T(1) == T(2), T(nil) == T(nil), T(1, nil) == T(1))
show(T(1, nil, 3):unpack())
test.timer('nothing', 3, function(x) show(x) end, 'called')
