require 'nn'
local x = torch.ones(2)
print(torch.typename(x))
print(torch.typename(3))
print(1, torch.typename('a'))
local t = {1, nil}
print(torch.typename(t) == nil)
print(paths.extname('a.b'))
print(paths.extname('ab'))
