-- Sizes in tables and storages, storages of numbers, and a tensor's function cat
local function createSize(t) return torch.LongStorage(t) end
local dims = {2, 3}
local x = torch.Tensor(createSize(dims)):zero()
print(x:size(1), x:dim())
local s = torch.LongStorage(x:size():size() + 1)
s[1] = 4 s[2] = 2 s[3] = 3
print(torch.zeros(s):nElement(), #s)
local d = torch.DoubleStorage{1, 2, 3}
print(torch.DoubleTensor(d):sum(), d[2])
local a = torch.ones(2, 3)
local t = {a, a * 2}
local function cat(input) local out = {} for i, v in ipairs{input, input + 1} do out[i] = v:view(1, 2, 3) end return input.cat(out, 1) end
print(cat(a):sum(), a:sum())
