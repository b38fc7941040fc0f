-- Texts in the rows of a tensor, as data sets keep the paths of their pictures.
require 'torch'
local ffi = require 'ffi'
local names = {'one.png', 'two/three.png', 'x'}
local longest = 0
for _, name in ipairs(names) do longest = math.max(longest, #name + 1) end
local paths = torch.CharTensor(#names, longest):fill(0)
local place = paths:data()
for _, name in ipairs(names) do
   ffi.copy(place, name)
   place = place + longest
end
for i = 1, #names do print(i, ffi.string(torch.data(paths[i]))) end
ffi.copy(paths[2]:data(), 'other')
local function nameOf(set, i) return ffi.string(set[i]:data()) end
print(nameOf(paths, 2), paths[2][7], paths[1][2])
local word = 'fixed'
local one = torch.ByteTensor(#word)
ffi.copy(one:data(), word, #word)
print(ffi.string(one:data(), one:size(1)), ffi.string(torch.data(one), 3))
