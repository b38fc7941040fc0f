-- nn.utils.relErr, which fbcunn's test of BatchNormalization asks for and no package has: how far two tensors are apart
-- at most, against the largest element of the first, and as it is.

local nn = require 'nn'

function nn.utils.relErr(expected, actual)
   local apart = (expected - actual):abs():max()
   return apart / math.max(expected:clone():abs():max(), 1e-30), apart
end
