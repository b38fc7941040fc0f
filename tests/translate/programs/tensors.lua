-- Tensors: views and copies, parts, reductions.
require 'torch'
local x = torch.range(1, 6):view(2, 3)
local row = x[1]
row[2] = 100
print(x[1][2])
local y = x
y:add(1)
print(x:sum())
local z = x:clone():mul(2)
print(z:sum(), x:sum())
local a = x:t()
a[1][1] = -5
print(x[1][1])
local n = x:narrow(2, 1, 2)
n:fill(7)
print(x:sum(), n:size(1), n:size(2))
local s = x:select(2, 3)
print(s:sum(), s:nElement())
local m = x:gt(7)
print(m:sum())
print(x:max(), x:min(), x:mean())
local v, i = x:max(2)
print(v[1][1], i[1][1], v:size(2))
print(torch.cmul(x, x):sum(), (x * 2):sum(), (x + 1):sum(), (-x):sum(), (x / 2):sum())
local c = torch.cat(x, x, 1)
print(c:size(1), c:size(2))
print(x:reshape(3, 2)[3][1], x:view(-1)[4])
local e = torch.eye(3)
print((e * torch.ones(3)):sum(), torch.dot(torch.ones(3), torch.ones(3)))
local w = torch.Tensor(2, 3):copy(x)
print(w:sum())
for k = 1, w:size(1) do
   for j = 1, w:size(2) do w[k][j] = k * 10 + j end
end
print(w[2][3], w[{2, 3}], w[{{1, 2}, 3}]:sum(), w[{{}, {2, 3}}]:sum())
w[{1, {}}] = 5
print(w:sum(), w[1][1])
local idx = torch.LongTensor{2, 1}
print(w:index(1, idx)[1][1])
local sorted, order = torch.Tensor{3, 1, 2}:sort()
print(sorted[1], order[1])
print(torch.abs(torch.Tensor{-1, 2}):sum(), torch.pow(torch.Tensor{2, 3}, 2):sum())
print(x:size(1), #x:size(), x:dim(), x:nElement())
print(torch.sum(x, 1)[1][1], x:norm(), x:std())
