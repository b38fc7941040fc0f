-- A method of optim on the sum of the squares of some numbers, half of it.
--
-- Globals: method (a name in optim), count (of the numbers). Returns a function that takes some steps and returns the
-- last loss. Global for a port to start from: numbers.
require 'optim'

torch.manualSeed(1)

numbers = torch.randn(count)
local gradient = torch.Tensor(count)

local function feval(x)
   gradient:copy(x)
   return 0.5 * x:dot(x), gradient
end

local optimize, config = optim[method], {learningRate = 1e-3}

return function(steps)
   local losses
   for _ = 1, steps do _, losses = optimize(feval, numbers, config) end
   return losses[1]
end
