-- Storages and other results that are printed whole.
local x = torch.IntTensor(2, 3):fill(7)
x[2][1] = 5
local row = x[1]
row:add(1)
print(x:storage(), x:type('torch.LongTensor') / 2)
print(x:t(), x:storage())

local a, b = torch.Tensor{{2, 1}, {1, 3}}, torch.Tensor{{3}, {5}}
print(torch.gesv(b, a))
do
-- memory of which a tensor is a part, and memory in a variable
local x = torch.range(1, 6)
local y = x:narrow(1, 2, 3)
print(y:storage())
local z = x:resize(2)
local s = x:storage()
print(s)
end
