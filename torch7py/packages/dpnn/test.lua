-- The layers that `dpnn.test` tries. Argument: chunk. Result: the function `test` of layer_tests.lua.

local chunk = ...
local nn, torch = nn, torch

local cases = {}

function cases.Serial() return nn.Serial(nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())), torch.randn(2, 3) end
function cases.Convert() return nn.Sequential():add(nn.Convert('bf', 'fb')):add(nn.Linear(2, 3)), torch.randn(2, 3) end
function cases.Clip() return nn.Sequential():add(nn.Linear(3, 2)):add(nn.Clip(-9, 9)), torch.randn(2, 3) end
function cases.ReverseTable()
   local branches = nn.ConcatTable():add(nn.Linear(3, 2)):add(nn.Linear(3, 4))
   return nn.Sequential():add(branches):add(nn.ReverseTable()), torch.randn(2, 3)
end
function cases.Inception()
   local m = nn.Inception {inputSize = 2, outputSize = {3, 2}, reduceSize = {2, 3, 2, 2}}
   return m, torch.randn(2, 2, 6, 6)
end
function cases.FireModule() return nn.FireModule(2, 2, 3, 3), torch.randn(2, 2, 4, 4) end
function cases.SpatialGlimpse()
   local glimpse = nn.SpatialGlimpse(2, 1)
   return nn.Sequential():add(nn.ParallelTable():add(nn.Identity()):add(nn.Constant(torch.zeros(2), 1))):add(glimpse),
          {torch.randn(2, 1, 6, 6), torch.zeros(2, 2)}
end

return chunk('layer_tests.lua')(cases)
