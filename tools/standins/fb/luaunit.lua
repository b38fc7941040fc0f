-- What Facebook's test files use of fb.luaunit: assertions, and LuaUnit:main(), which runs the global functions whose
-- names begin with `test`, and the methods of such names in global tables, as tests of a torch.Tester.

local torch = require 'torch'

local function fail(text, ...) error(text:format(...), 3) end

local function same(a, b)
   if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end
   for k, v in pairs(a) do
      if not same(v, b[k]) then return false end
   end
   for k in pairs(b) do
      if a[k] == nil then return false end
   end
   return true
end

function assertEquals(a, b)
   if not same(a, b) then fail('%s expected, got %s', tostring(b), tostring(a)) end
end

function assertAlmostEquals(a, b, margin)
   if math.abs(a - b) > margin then fail('%s expected within %g, got %s', tostring(b), margin, tostring(a)) end
end

function assertTensorEquals(a, b)
   if not a:isSameSizeAs(b) or (a - b):abs():max() ~= 0 then fail 'tensors differ' end
end

function assertTensorAlmostEquals(a, b, margin)
   if not a:isSameSizeAs(b) or (a - b):abs():max() > margin then fail('tensors differ by more than %g', margin) end
end

function assertTrue(value)
   if not value then fail 'true expected' end
end

function assertFalse(value)
   if value then fail 'false expected' end
end

function assertError(f, ...)
   if pcall(f, ...) then fail 'an error expected' end
end

assert_equals, assert_true, assert_false, assert_error = assertEquals, assertTrue, assertFalse, assertError

LuaUnit = {}

function LuaUnit:main()
   local tests = torch.TestSuite()
   for name, value in pairs(_G) do
      if type(name) == 'string' and name:find '^[tT]est' then
         if type(value) == 'function' then
            tests[name] = value
         elseif type(value) == 'table' then
            for method, f in pairs(value) do
               if type(method) == 'string' and method:find '^test' and type(f) == 'function' then
                  tests[name .. '.' .. method] = function()
                     if value.setUp then value:setUp() end
                     f(value)
                  end
               end
            end
         end
      end
   end
   local tester = torch.Tester()
   tester:add(tests)
   tester:run()
   return 0
end

return LuaUnit
