-- A program's tests, of functions of its own and of a layer.
require 'nn'
local checks = torch.TestSuite()
local tester = torch.Tester()
local close = 1e-10

-- Runs a window's mean over a vector.
local function smooth(x, width)
   local out = torch.Tensor(x:size(1) - width + 1)
   for i = 1, out:size(1) do
      out[i] = x:narrow(1, i, width):mean()
   end
   return out
end

local function pair(n)
   if n < 1 then error('too few') end
   return {n, n + 1}
end

function checks.smooth()
   local x = torch.range(1, 6)
   tester:assertTensorEq(smooth(x, 2), torch.Tensor{1.5, 2.5, 3.5, 4.5, 5.5}, close, 'means of two')
   tester:eq(smooth(x, 6)[1], 3.5, close)
   tester:eq(smooth(x, 3):size(1), 4, 'as many as fit')
   tester:asserteq(smooth(x, 1):dim(), 1)
   tester:ne(smooth(x, 2)[1], 1, 'not the first')
   tester:assertTensorNe(smooth(x, 1), x + 1)
end

function tester:assertSizes(x, sizes)
   self:asserteq(x:dim(), #sizes)
   for i, size in ipairs(sizes) do self:eq(x:size(i), size) end
end

function checks.bounds()
   local x = torch.rand(40)
   tester:assertlt(x:max(), 1, 'below one')
   tester:assertge(x:min(), 0)
   tester:assertgt(smooth(x, 4):sum(), 0)
   tester:assertle(x:min(), x:max())
   tester:assertSizes(x:view(8, 5), {8, 5})
   tester:assert(smooth(x, 4):size(1) == 37 and x:dim() == 1, 'sizes')
   tester:assertalmosteq(x:sum() / 40, x:mean(), 1e-9)
end

function checks:pairs()
   tester:eq(pair(3), {3, 4}, 'two that follow')
   tester:assertTableEq(pair(1), {1, 2})
   tester:assertne(pair(1)[1], 2)
   tester:assertError(function() pair(0) end, 'none below one')
   tester:assertNoError(function() return pair(1) end)
end

function checks.learning()
   local net, crit = nn.Linear(3, 1), nn.MSECriterion()
   local x, y = torch.randn(6, 3), torch.randn(6, 1)
   local before = crit:forward(net:forward(x), y)
   net:zeroGradParameters()
   net:backward(x, crit:backward(net.output, y))
   net:updateParameters(0.01)
   tester:assertlt(crit:forward(net:forward(x), y), before, 'the loss falls')
end

-- One for each of a few widths.
local function of_width(width)
   return function()
      local x = torch.ones(8)
      tester:eq(smooth(x, width), torch.ones(9 - width), 'ones stay')
      print('width', width)
   end
end
checks.narrow = of_width(2)
checks.wide = of_width(7)

tester:add(checks)
tester:run()
print('all is well')
