-- Texts in the rows of a tensor, as data sets keep the paths of their pictures.
require 'torch'
require 'sys'
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
-- The elements themselves, counted from 0, and what a command says of a file.
local counts = torch.IntTensor(4)
local at = counts:data()
for i = 1, 4 do at[i - 1] = i * i end
at[0] = at[3] + 0.0
print(counts[1], counts[4], at[1])
at = at + 12 / 6
at[1] = 7
local further = tonumber('1')
at = at + further
print(at[0])
print(counts[4])
local length = tonumber(sys.fexecute('printf "a\\nb\\n" | wc -l'))
print(length + 1, sys.execute('echo one; echo two'))
if ffi.os == 'OSX' then print('apple') elseif jit.os == 'Linux' then print('penguin') end

-- numbers as text, which elements take as what they say
local cells = {}
for cell in ('1,2.5,3'):gmatch('[^,]+') do cells[#cells + 1] = cell end
local filled = torch.zeros(2, 3)
for i = 1, 3 do filled[1][i] = cells[i] end
filled[{2, 1}] = '7'
local hour, minute = ('3:40'):match('(%d+):(%d+)')
filled[2][2] = hour
print(filled, torch.LongTensor(2):fill(minute))
print(torch.Tensor{cells[1], cells[2]}, torch.Tensor{cells, cells}, torch.FloatTensor{{cells[3]}})
