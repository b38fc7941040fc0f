local Tester = torch.class('torch.Tester')
function Tester:__init()
   self.tests, self.broken = {}, 0
end
function Tester:add(tests)
   for name, test in pairs(tests) do self.tests[name] = test end
   return self
end
function Tester:run(names)
   local wanted, lines, failures = type(names) == 'string' and {names} or names, {}, 0
   for name, test in pairs(self.tests) do
      local chosen = wanted == nil
      for _, pattern in ipairs(wanted or {}) do
         if string.find(name, pattern) then chosen = true end
      end
      if chosen then
         self.broken = 0
         local done = pcall(test)
         local passed = done and self.broken == 0
         if not passed then failures = failures + 1 end
         table.insert(lines, name .. (passed and ' passed' or ' failed'))
      end
   end
   print(table.concat(lines, '\n'))
   if failures > 0 then os.exit(1) end
   return 0
end
function Tester:assert(holds)
   if not holds then self.broken = self.broken + 1 end
   return holds
end
function Tester:alike(a, b, tolerance)
   if torch.isTensor(a) and torch.isTensor(b) then
      if a:type() ~= b:type() or not a:isSameSizeAs(b) then return false end
      return a:nElement() == 0 or torch.eq(a, b):min() == 1 or torch.abs(a - b):max() <= tolerance
   end
   if type(a) == 'number' and type(b) == 'number' then return a == b or math.abs(a - b) <= tolerance end
   if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end
   for key, value in pairs(a) do
      if not self:alike(value, b[key], tolerance) then return false end
   end
   for key in pairs(b) do
      if a[key] == nil then return false end
   end
   return true
end
function Tester:equal(a, b, tolerance, message)
   if type(tolerance) ~= 'number' then tolerance = type(message) == 'number' and message or 0 end
   return self:alike(a, b, tolerance)
end
function Tester:eq(a, b, tolerance, message) return self:assert(self:equal(a, b, tolerance, message)) end
function Tester:ne(a, b, tolerance, message) return self:assert(not self:equal(a, b, tolerance, message)) end
function Tester:assertGeneralEq(a, b, tolerance, message) return self:assert(self:equal(a, b, tolerance, message)) end
function Tester:assertGeneralNe(a, b, tolerance, message) return self:assert(not self:equal(a, b, tolerance, message)) end
function Tester:assertTensorEq(a, b, tolerance, message) return self:assert(self:equal(a, b, tolerance, message)) end
function Tester:assertTensorNe(a, b, tolerance, message) return self:assert(not self:equal(a, b, tolerance, message)) end
function Tester:assertTableEq(a, b, tolerance, message) return self:assert(self:equal(a, b, tolerance, message)) end
function Tester:assertTableNe(a, b, tolerance, message) return self:assert(not self:equal(a, b, tolerance, message)) end
function Tester:asserteq(a, b) return self:assert(a == b) end
function Tester:assertne(a, b) return self:assert(a ~= b) end
function Tester:assertlt(a, b) return self:assert(a < b) end
function Tester:assertle(a, b) return self:assert(a <= b) end
function Tester:assertgt(a, b) return self:assert(a > b) end
function Tester:assertge(a, b) return self:assert(a >= b) end
function Tester:assertalmosteq(a, b, tolerance)
   return self:assert(math.abs(a - b) <= (type(tolerance) == 'number' and tolerance or 1e-16))
end
function Tester:assertError(action) return self:assert(not pcall(action)) end
function Tester:assertNoError(action) return self:assert((pcall(action))) end
