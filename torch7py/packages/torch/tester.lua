-- torch.Tester and torch.TestSuite: unit tests of a program.
--
-- The fields and the methods whose names begin with an underscore are the original's: test programs read and
-- replace them. Uses the globals io, pcall, xpcall and debug as they are when a method is called.
--
-- Arguments: core {fail}, config {colors}, torch, chunk, host {setting}.

local core, config, torch, chunk, host = ...
local fail = core.fail
local difference, tensor_difference = chunk('tester_compare.lua')(torch)

local type, select, tostring, pairs, ipairs, next = type, select, tostring, pairs, ipairs, next

local WIDTH = 80
local OURS = '%[torch7py%]'

local Tester = torch.class('torch.Tester', torch)

function Tester:__init()
   self.tests = {}                            -- name -> function
   self.disabledTests = {}                    -- name -> true
   self.errors, self.warnings = {}, {}        -- texts
   self._warningCount = {}                    -- name -> number; '' outside of tests
   self._currentTestName = ''
   -- assertTensorEq accepts tensors of equal contents and different shapes, and warns.
   self._assertTensorEqIgnoresDims = true
end

function Tester:setEarlyAbort(flag) self.earlyAbort = flag end
function Tester:setRethrowErrors(flag) self.rethrow = flag end
function Tester:setSummaryOnly(flag) self.summaryOnly = flag end

---------------------------------------------------------------------------------------------------------
-- Outcomes of single checks

-- The program's frames, innermost first, down to where the test was called.
local function frames(level)
   local lines = {}
   for line in debug.traceback('', level + 1):gmatch('[^\n]+') do
      if line:find('[C]:', 1, true) and line:find('xpcall', 1, true) then break end
      -- plain Lua 5.1 has a line for a function that a tail call has replaced
      local of_program = not line:find(OURS) and not line:find('(tail call)', 1, true)
      if of_program and not line:find('^stack traceback') then lines[#lines + 1] = line end
   end
   if #lines == 0 then return '' end
   return 'stack traceback:\n' .. table.concat(lines, '\n') .. '\n'
end

function Tester:_addDebugInfo(message)
   local name = self._currentTestName
   return (name ~= '' and tostring(name) .. '\n' or '') .. message .. '\n' .. frames(2)
end

local function count(counts, name) counts[name] = (counts[name] or 0) + 1 end

function Tester:_success()
   count(self.assertionPass, self._currentTestName)
   return true
end

function Tester:_failure(message)
   if self.rethrow then fail('%s', message) end
   count(self.assertionFail, self._currentTestName)
   table.insert(self.errors, self:_addDebugInfo(message))
   return false
end

function Tester:_warning(message)
   count(self._warningCount, self._currentTestName)
   table.insert(self.warnings, self:_addDebugInfo(message))
end

function Tester:_assert_sub(condition, message)
   if condition then return self:_success() end
   return self:_failure(message)
end

---------------------------------------------------------------------------------------------------------
-- The arguments that end every check

-- [message], as the first line of the text of a failure. Programs of 2015 gave other things too, disregarded then.
local function heading(...)
   local message = ...
   if host.setting('generation') == 2015 then return message == nil and '' or tostring(message) .. '\n' end
   for i = 2, select('#', ...) do
      if select(i, ...) ~= nil then fail('Unexpected arguments passed to test function: a message at most') end
   end
   if message == nil or message == '' then return '' end
   if type(message) ~= 'string' then fail('a test message must be a string, not a %s', type(message)) end
   return message .. '\n'
end

-- [tolerance] and [message] in either order.
local function tolerance_and_heading(usual, ...)
   local tolerance, message
   for i = 1, select('#', ...) do
      local value = select(i, ...)
      if type(value) == 'string' and message == nil then
         message = value
      elseif type(value) == 'number' and tolerance == nil then
         if not (value >= 0) then fail('a tolerance cannot be negative: %s', tostring(value)) end
         tolerance = value
      elseif value ~= nil then
         fail('a check takes one tolerance and one message at most; got a further %s', type(value))
      end
   end
   return tolerance or usual, message and message .. '\n' or ''
end

---------------------------------------------------------------------------------------------------------
-- Checks

function Tester:assert(condition, ...)
   local head = heading(...)
   if type(condition) ~= 'boolean' then
      self:_warning((':assert should only be used for boolean conditions, not for a %s; compare with nil instead')
                    :format(type(condition)))
   end
   return self:_assert_sub(condition, head .. 'BOOL violation condition=' .. tostring(condition))
end

-- Checks of two numbers: the comparison, and the message when it fails.
local COMPARISONS = {
   assertlt = {'LT', '>=', function(a, b) return a < b end},
   assertgt = {'GT', '<=', function(a, b) return a > b end},
   assertle = {'LE', '>', function(a, b) return a <= b end},
   assertge = {'GE', '<', function(a, b) return a >= b end},
   asserteq = {'EQ', '~=', function(a, b) return a == b end},
}
for name, comparison in pairs(COMPARISONS) do
   local word, sign, holds = unpack(comparison)
   Tester[name] = function(self, a, b, ...)
      local head = heading(...)
      return self:_assert_sub(holds(a, b), ('%s%s failed: %s %s %s'):format(head, word, tostring(a), sign, tostring(b)))
   end
end

function Tester:assertne(a, b, ...)
   local head = heading(...)
   if type(a) == 'userdata' or (type(a) == 'table' and type(b) == 'table') then
      self:_warning(':assertne should only be used to compare basic values: it asks whether two objects are one, '
                    .. ':ne asks for what is in them')
   end
   return self:_assert_sub(a ~= b, ('%sNE failed: %s == %s'):format(head, tostring(a), tostring(b)))
end

function Tester:assertalmosteq(a, b, ...)
   local tolerance, head = tolerance_and_heading(1e-16, ...)
   return self:_assert_sub(math.abs(a - b) <= tolerance,
      ('%sALMOST_EQ failed: %s ~= %s with tolerance=%s'):format(head, tostring(a), tostring(b), tostring(tolerance)))
end

-- The outcome of a comparison: `mismatch` describes the difference, nil if there is none.
local function judge(self, mismatch, negate, head, got, expected)
   if not negate then return self:_assert_sub(mismatch == nil, head .. (mismatch or '')) end
   local text = ''
   if mismatch == nil then text = ('NE failed: %s == %s'):format(tostring(got), tostring(expected)) end
   return self:_assert_sub(mismatch ~= nil, head .. text)
end

function Tester:_eqOrNeq(got, expected, negate, ...)
   local tolerance, head = tolerance_and_heading(0, ...)
   return judge(self, difference(got, expected, tolerance), negate, head, got, expected)
end

function Tester:_assertTableEqOrNeq(a, b, negate, ...)
   if type(a) ~= 'table' then fail('First argument should be a Table, not a %s', type(a)) end
   if type(b) ~= 'table' then fail('Second argument should be a Table, not a %s', type(b)) end
   return self:_eqOrNeq(a, b, negate, ...)
end

function Tester:_assertTensorEqOrNeq(a, b, negate, ...)
   if not torch.isTensor(a) then fail('First argument should be a Tensor, not a %s', torch.type(a)) end
   if not torch.isTensor(b) then fail('Second argument should be a Tensor, not a %s', torch.type(b)) end
   local tolerance, head = tolerance_and_heading(0, ...)
   local loose = self._assertTensorEqIgnoresDims
   local mismatch = tensor_difference(a, b, tolerance, loose)
   if loose and not negate and mismatch == nil and not a:isSameSizeAs(b) then
      self:_warning('Tensors of the same content but different dimensions pass :assertTensorEq; :eq tells them apart')
   end
   return judge(self, mismatch, negate, head, a, b)
end

function Tester:assertGeneralEq(got, expected, ...) return self:_eqOrNeq(got, expected, false, ...) end
function Tester:assertGeneralNe(got, expected, ...) return self:_eqOrNeq(got, expected, true, ...) end
function Tester:eq(got, expected, ...) return self:assertGeneralEq(got, expected, ...) end
function Tester:ne(got, expected, ...) return self:assertGeneralNe(got, expected, ...) end
function Tester:assertTensorEq(a, b, ...) return self:_assertTensorEqOrNeq(a, b, false, ...) end
function Tester:assertTensorNe(a, b, ...) return self:_assertTensorEqOrNeq(a, b, true, ...) end
function Tester:assertTableEq(a, b, ...) return self:_assertTableEqOrNeq(a, b, false, ...) end
function Tester:assertTableNe(a, b, ...) return self:_assertTableEqOrNeq(a, b, true, ...) end

-- f must raise an error that `right` accepts.
function Tester:assertErrorObj(f, right, ...)
   local head = heading(...)
   local ok, err = pcall(f)
   return self:_assert_sub(not ok and right(err), head .. 'ERROR violation: err=' .. tostring(err))
end

function Tester:assertError(f, ...)
   return self:assertErrorObj(f, function() return true end, ...)
end

function Tester:assertErrorMsg(f, text, ...)
   return self:assertErrorObj(f, function(err) return err == text end, ...)
end

function Tester:assertErrorPattern(f, pattern, ...)
   return self:assertErrorObj(f, function(err) return string.find(err, pattern) ~= nil end, ...)
end

function Tester:assertNoError(f, ...)
   local head = heading(...)
   local ok, err = pcall(f)
   return self:_assert_sub(ok, head .. 'ERROR violation: err=' .. tostring(err))
end

---------------------------------------------------------------------------------------------------------
-- The list of tests

local SPECIAL = {_setUp = 'set-up', _tearDown = 'tear-down'}

local function add_one(self, f, name)
   if type(f) == 'table' then fail('Nested sets of tests are not supported: %s is a table', tostring(name)) end
   if type(f) ~= 'function' then fail('a test must be a function or a table of functions, not a %s', type(f)) end
   if SPECIAL[name] then
      if self[name] then fail('Only one %s function is allowed', SPECIAL[name]) end
      self[name] = f
      return
   end
   name = name or 'unknown'
   if self.tests[name] ~= nil then fail('Test with name %s already exists!', tostring(name)) end
   self.tests[name] = f
end

-- tester:add(f, name) or tester:add(table of functions)
function Tester:add(f, name)
   if type(f) ~= 'table' then
      add_one(self, f, name)
      return self
   end
   if name ~= nil then fail('a table of tests brings the names of its tests; got the name %s too', tostring(name)) end
   local suite = f
   if f.__isTestSuite then
      suite = f.__tests
   else
      self:_warning('Should use TestSuite rather than plain lua table: it notices when a test is defined twice')
   end
   for key, test in pairs(suite) do add_one(self, test, key) end
   return self
end

local function list_of(names)
   if type(names) == 'string' then return {names} end
   if type(names) ~= 'table' then fail('expected the name of a test or a list of names, not a %s', type(names)) end
   return names
end

function Tester:disable(names)
   for _, name in ipairs(list_of(names)) do
      if not self.tests[name] then fail("Unrecognized test '%s'", tostring(name)) end
      self.disabledTests[name] = true
   end
   return self
end

-- All tests, or those whose names match one of the patterns.
function Tester:_getTests(patterns)
   if patterns == nil then return self.tests end
   local chosen = {}
   for _, pattern in ipairs(list_of(patterns)) do
      local any = false
      for name, f in pairs(self.tests) do
         if string.match(name, pattern) then
            chosen[name], any = f, true
         end
      end
      if not any then fail("Couldn't find test '%s'", pattern) end
   end
   return chosen
end

---------------------------------------------------------------------------------------------------------
-- Running

local CODES = {black = 30, red = 31, green = 32, yellow = 33, magenta = 35, cyan = 36}

local function coloured(text, color)
   if not config.colors then return text end
   return ('\27[0;%dm%s\27[0m'):format(CODES[color], text)
end

local function plural(n, word) return n .. ' ' .. word .. (n == 1 and '' or 's') end

local function size_of(t)
   local n = 0
   for _ in pairs(t) do n = n + 1 end
   return n
end

function Tester:run(names)
   local tests = self:_getTests(names)
   self.assertionPass, self.assertionFail, self.testError, self.haveWarning = {}, {}, {}, {}
   for name in pairs(tests) do
      self.assertionPass[name], self.assertionFail[name], self.testError[name] = 0, 0, 0
      self._warningCount[name] = 0
   end
   self:_run(tests)
   self:_report(tests)
   -- a program of tests ends with an error unless all have passed
   for name in pairs(tests) do
      if self.assertionFail[name] > 0 or self.testError[name] > 0 then
         fail('An error was found while running tests!')
      end
   end
   return 0
end

function Tester:_pcall(f)
   local before = #self.errors
   local ok, result = xpcall(f, function(err)
      return {err, tostring(err) .. '\n' .. frames(2)}
   end)
   if not ok then
      local text = type(result) == 'table' and result[2] or tostring(result)
      table.insert(self.errors, tostring(self._currentTestName) .. '\n Function call failed\n' .. text)
      return false, text, false
   end
   return true, result, #self.errors == before
end

-- One test: its outcome as the words that follow its name.
local function outcome(self, name, f)
   if self.disabledTests[name] then return 'SKIP', 'yellow' end
   if self._setUp then self._setUp(name) end
   local ok, pass, _ = true, nil, nil
   if self.rethrow then
      local before = #self.errors
      f()
      pass = #self.errors == before
   else
      ok, _, pass = self:_pcall(f)
   end
   if self._tearDown then self._tearDown(name) end
   if not ok then
      self.testError[name] = 1
      return 'ERROR', 'magenta'
   elseif not pass then
      return 'FAIL', 'red'
   end
   return 'PASS', 'green'
end

function Tester:_run(tests)
   local total = size_of(tests)
   local digits = #tostring(total)
   io.write('Running ' .. plural(total, 'test') .. '\n')
   local number = 0
   for name, f in pairs(tests) do
      number = number + 1
      self._currentTestName = name
      local label = ('%' .. digits .. 'd/%d %s '):format(number, total, tostring(name))
      local line = coloured(label .. ('.'):rep(WIDTH - 7 - #label) .. ' ', 'cyan')
      io.write(line .. '[' .. coloured('WAIT', 'cyan') .. ']')
      io.flush()
      local word, color = outcome(self, name, f)
      io.write('\r' .. line .. '[' .. coloured(word, color) .. ']')
      if word == 'PASS' and self._warningCount[name] > 0 then
         io.write('\n' .. (' '):rep(WIDTH - 10) .. '[' .. coloured('+warning', 'yellow') .. ']')
      end
      io.write('\n')
      io.flush()
      if self.earlyAbort and number < total and (word == 'ERROR' or word == 'FAIL') then
         io.write('Aborting on first error, not all tests have been executed\n')
         break
      end
      collectgarbage()
   end
   self._currentTestName = ''
end

---------------------------------------------------------------------------------------------------------
-- Reporting

local function add_up(counts, tests, each)
   local sum = 0
   for name in pairs(tests) do
      local n = counts[name]
      n = n == true and 1 or n or 0
      sum = sum + (each and n > 0 and 1 or n)
   end
   return sum
end

function Tester:_report(tests)
   local failures, errors = add_up(self.assertionFail, tests, true), add_up(self.testError, tests, true)
   local warnings = add_up(self._warningCount, tests, true) + (self._warningCount[''] or 0)
   local skipped = add_up(self.disabledTests, tests, true)
   self.countasserts = add_up(self.assertionPass, tests) + add_up(self.assertionFail, tests)
   io.write('Completed ' .. plural(self.countasserts, 'assert') .. ' in ' .. plural(size_of(tests), 'test') .. ' with '
            .. coloured(plural(failures, 'failure'), failures == 0 and 'green' or 'red') .. ' and '
            .. coloured(plural(errors, 'error'), errors == 0 and 'green' or 'magenta'))
   if warnings > 0 then io.write(' and ' .. coloured(plural(warnings, 'warning'), 'yellow')) end
   if skipped > 0 then io.write(' and ' .. coloured(skipped .. ' disabled', 'yellow')) end
   io.write('\n')
   if self.summaryOnly then return end
   local rule = ('-'):rep(WIDTH) .. '\n'
   if self.errors[1] or self.warnings[1] then io.write(rule) end
   for _, texts in ipairs {self.errors, self.warnings} do
      for _, text in ipairs(texts) do io.write(text .. '\n' .. rule) end
   end
end

---------------------------------------------------------------------------------------------------------
-- torch.TestSuite(): a table of tests that refuses a name's second test

function torch.TestSuite()
   return setmetatable({__tests = {}, __isTestSuite = true}, {
      __index = function(suite, name) return suite.__tests[name] end,
      __newindex = function(suite, name, test)
         if suite.__tests[name] ~= nil then fail('Test %s is already defined.', tostring(name)) end
         if type(test) == 'table' then fail('Nested tables of tests are not supported') end
         if type(test) ~= 'function' then
            fail('Only functions are supported as members of a TestSuite, not a %s', type(test))
         end
         suite.__tests[name] = test
      end,
   })
end
