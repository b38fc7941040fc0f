-- Measurements in an HDF5 file: written, read whole and in parts, by a class that keeps the file open.
require 'nn'
require 'hdf5'

local path = 'measured.h5'
local out = hdf5.open(path, 'w')
out:write('/days', torch.range(1, 12):resize(6, 2):int())
out:write('flags', torch.ByteTensor {1, 0, 255})
out:write('deep/values', torch.linspace(0, 1, 24):resize(2, 3, 4))
out:close()

torch.class('Reader')
function Reader:__init(name)
   self.file = hdf5.open(name, 'r')
   local sizes = self.file:read('/deep/values'):dataspaceSize()
   assert(#sizes == 3, 'a value for each place in a plane')
   self.rows, self.columns = sizes[1], sizes[3]
   self.days = self.file:read('days'):all()
end

-- Some rows of the second plane.
function Reader:part(from, to)
   return self.file:read('/deep/values'):partial({2, 2}, {from, to}, {1, self.columns})
end

local reader = Reader(path)
print(reader.rows, reader.columns, reader.days:size(1))
local total = 0
for i = 1, reader.days:size(1) do total = total + reader.days[i][2] end
print(total)
for last = 2, 3 do
   local part = reader:part(1, last)
   print(part:sum(), part:size(2), part:size():totable()[3])
end
print(reader.file:read('flags'):all():double():sum())
print(reader.file:read('/deep/values'):partial(1, {2, 3}, 4):sum())
for _, name in ipairs {'days', 'flags'} do
   print(name, reader.file:read('/' .. name):all():nElement())
end
reader.file:close()

local more = hdf5.open(path)
more:write('/weights', nn.Linear(3, 2).weight:clone():fill(0.5))
print(more:read('weights'):all():sum())
more:close()
