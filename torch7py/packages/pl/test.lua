-- pl.test: assertions for tests. One that does not hold calls test.error_handler, which ends the program; a test may
-- set another.
--
-- Arguments: core, host, test. The packages pl.utils, pl.tablex, pl.pretty and pl.path are loaded before.

local _, _, test = ...
local utils, tablex, pretty = require 'pl.utils', require 'pl.tablex', require 'pl.pretty'
local path = require 'pl.path'

local function shown(x)
   if type(x) == 'string' then return '"' .. x .. '"' end
   local mt = getmetatable(x)
   if type(x) == 'table' and not (mt and mt.__tostring) then return (pretty.write(x, ' ', true)) end
   return tostring(x)
end

function test.error_handler(file, line, got, needed, message)
   io.stderr:write(('%s:%d: assertion failed\ngot:\t%s\nneeded:\t%s\n'):format(path.basename(file), line, got, needed))
   utils.quit(1, message or 'these values were not equal')
end

-- test.complain(x, y[, message[, levels]]): for the function that called the caller, or some levels above.
function test.complain(x, y, message, levels)
   local at = debug.getinfo(3 + (levels or 0))
   test.error_handler(at.short_src, at.currentline, shown(x), shown(y), message)
end
local complain = test.complain

-- test.asserteq(x, y[, eps[, levels]]): equal values, or tables of equal contents, numbers within eps.
function test.asserteq(x, y, eps, levels)
   if x ~= y and not tablex.deepcompare(x, y, true, eps) then complain(x, y, nil, levels) end
end

-- test.asserteq2(x, y, wanted_x, wanted_y[, levels])
function test.asserteq2(x, y, expected_x, expected_y, levels)
   if x ~= expected_x then complain(x, expected_x, nil, levels) end
   if y ~= expected_y then complain(y, expected_y, nil, levels) end
end

function test.assertmatch(s, pattern, levels)
   if not s:match(pattern) then complain(s, pattern, 'these strings did not match', levels) end
end

-- test.assertraise(f or {f, ...}, pattern[, levels]): f raises an error whose message the pattern matches.
function test.assertraise(f, pattern, levels)
   if type(f) ~= 'table' then f = {f} end
   local ok, err = pcall(utils.unpack(f))
   if ok or not err:match(pattern) then complain(err, pattern, 'these errors did not match', levels) end
end

---------------------------------------------------------------------------------------------------------
-- Several values as one

local Tuple = {unpack = utils.unpack}
Tuple.__index = Tuple

function Tuple.__tostring(self)
   local words = {}
   for i = 1, self.n do words[i] = (type(self[i]) == 'string' and '%q' or '%s'):format(tostring(self[i])) end
   return 'tuple(' .. table.concat(words, ', ') .. ')'
end

function Tuple.__eq(a, b)
   local i = 1
   while i <= a.n and a[i] == b[i] do i = i + 1 end
   return a.n == b.n and i > a.n
end

function Tuple.__len(self) return self.n end

function test.tuple(...) return setmetatable(utils.pack(...), Tuple) end

-- test.timer(message, n, f, ...): print how long n calls take.
function test.timer(message, n, f, ...)
   local start = os.clock()
   for _ = 1, n do f(...) end
   utils.printf('%s: took %7.2f sec\n', message, os.clock() - start)
end
