-- optim.ConfusionMatrix: counts, shares, and what is missing.
require 'optim'
local confusion = optim.ConfusionMatrix({'a', 'b', 'c'})
confusion:add(1, 1)
confusion:add(torch.Tensor{0.1, 0.7, 0.2}, 3)
confusion:batchAdd(torch.Tensor{{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}, torch.Tensor{1, 3, 1})
confusion:updateValids()
print(confusion.totalValid, confusion.averageValid)
print(confusion.mat:sum(), confusion.valids[1])
local other = optim.ConfusionMatrix(2)
for i = 1, 5 do other:add(i % 2 + 1, 1) end
other:updateValids()
print(other.totalValid, other.valids[1])
other:zero()
other:add(2, 2)
other:updateValids()
print(other.totalValid, other.averageValid)
print(other.mat:max())
print(#tostring(other) > 0)
print(tostring(other))
other:add(1, 2)
print('named so: ' .. tostring(optim.ConfusionMatrix({'one', 'other'})))
print(tostring(other))
-- Classes as columns, as index() and max() give them.
local columns = optim.ConfusionMatrix{'a', 'b', 'c'}
columns:batchAdd(torch.Tensor{{1}, {3}, {2}}, torch.Tensor{1, 3, 3})
columns:batchAdd(torch.Tensor{2, 1}, torch.Tensor{{2}, {3}})
columns:batchAdd(torch.Tensor{{0.2, 0.5, 0.3}}, torch.Tensor{{0, 0, 1}})
for i = 1, columns.nclasses do print(columns.mat[i][1], columns.mat[i][2], columns.mat[i][3]) end
print('of ' .. columns.nclasses)
