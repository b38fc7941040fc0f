-- Tests in a function that a library has for whoever wants to run some of them.
require 'torch'
local tester
local tests = torch.TestSuite()

local function pick(scale)
   return {rows = {1, 2.5}, x = torch.ones(2):mul(scale), name = 'pick'}
end

function tests.sum()
   local x = torch.ones(3)
   tester:asserteq(x:sum(), 3, 'sum')
   tester:assertTensorEq(x + x, x * 2, 1e-6, 'twice')
   print('summed')
end

function tests.contents()
   tester:eq(pick(1), pick(1))
   tester:eq(pick(1), {rows = {1, 2.501}, x = torch.ones(2), name = 'pick'}, 1e-2)
   tester:ne(pick(1), pick(2))
   tester:ne(pick(1), {rows = {1}, x = torch.ones(2), name = 'pick'})
end

function tests.failing()
   tester:eq(pick(1), pick(3))
end

function runTests(names)
   tester = torch.Tester()
   tester:add(tests)
   tester:run(names)
   return tester
end

runTests('sum')
runTests{'^con', 'su'}
