-- Some of the outputs of a module, and of the items of a list.
require 'nn'
local net = nn.ConcatTable():add(nn.Identity()):add(nn.MulConstant(2)):add(nn.AddConstant(3))
local x = torch.ones(2)
local a, b = unpack(net:forward(x))
print(a:sum(), b:sum())
local o = net:forward(x)
local c, d = unpack(o)
print(c:sum(), d:sum())
local e, f, g = unpack(o)
print(e:sum(), g:sum())
local function three() return 1, 2, 3 end
local h, i = three()
print(h, i)
local t = {4, 5, 6}
local j, k = unpack(t)
print(j, k)
local l, m = table.unpack({7, 8, 9})
print(l, m)
