-- A tour of tensors: making them, indexing, views and the storage beneath, arithmetic, printing.
--
--    tensors.lua
require 'torch'

torch.manualSeed(1)

-- Making. Everything counts from 1.
local a = torch.Tensor{{1, 2, 3}, {4, 5, 6}}          -- from a table; a Tensor holds doubles
print(a)
print(torch.type(a), a:dim(), a:size(1), a:size(2), a:nElement())
print(torch.range(1, 9, 2), torch.zeros(2, 2):fill(7))

-- Indexing.
print(a[2][3], a[{2, 3}])                             -- a number, either way
print(a[2])                                           -- a row
print(a[{{}, 2}])                                     -- a column: {} is all of a dimension, a number drops it
print(a[{{}, {2, 3}}])                                -- columns 2 to 3
print(a[torch.gt(a, 3)])                              -- the elements where a mask is 1; a copy

-- Views: the same memory in another shape.
local row, transposed = a[1], a:t()
row:fill(0)
a[{{}, 3}] = -1                                       -- assigns to a column
print(a, transposed)
print('transposed is contiguous: ' .. tostring(transposed:isContiguous()))
print(a:view(3, 2))                                   -- as the elements lie in memory
print(a:clone():add(10), a)                           -- a copy is changed, a is not

-- The storage beneath: a view has its place in it and its steps through it.
print(a:storage())
local column = a:select(2, 3)
print('offset ' .. column:storageOffset() .. ', stride ' .. column:stride(1))

-- Arithmetic: operators make a new tensor, methods change theirs, torch.f(result, ...) writes into result.
local b = torch.Tensor(2, 3):fill(2)
print(a + b * 3 - 1)
b:cmul(a):add(0.5, a)                                 -- b = b * a elementwise, then b + 0.5 a
print(b)
print(a * a:t())                                      -- the product of matrices
print(a:sum(), a:mean(), a:max(), a:norm())
local largest, place = torch.max(a, 2)                -- along dimension 2: values and where they are
print(largest, place)

-- Other types.
print(torch.IntTensor{7, 8} / 2, torch.ByteTensor{250}:add(10))       -- whole numbers are cut, and wrap
print(a:float():type(), a:type('torch.LongTensor'):type())

-- Random numbers repeat with the seed.
local first = torch.rand(3)
torch.manualSeed(1)
print('the same again: ' .. tostring(first:equal(torch.rand(3))))
print(torch.randn(2, 3) * 1e6)                        -- print pulls a common factor out

-- Joining, sorting, solving.
print(torch.cat(torch.ones(2), torch.zeros(1)), (torch.sort(torch.Tensor{3, 1, 2}, true)))
local A, y = torch.Tensor{{2, 1}, {1, 3}}, torch.Tensor{{3}, {5}}
print(torch.gesv(y, A))                               -- x with A x = y
