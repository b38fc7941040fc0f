-- Names of files are taken apart and put together again; colours are shifted by the numbers of a list.
require 'paths'
torch.manualSeed(6)

local function numbered(name, n)
   local ending = paths.extname(name)
   local base = paths.basename(name, ending)
   return string.format('%s/%s-%03d.%s', paths.dirname(name), base, n, ending or 'none')
end
for n, name in ipairs {'kept/one.png', 'two.tar.gz', 'far/away/three', '.hidden', 'kept.d/four'} do
   print(n, numbered(name, n), paths.extname(name) == nil, paths.basename(name, '.gz'), paths.basename(name, 'png'))
end
print(paths.basename('a/b.png.png', '.png'), paths.basename('png', 'png'), paths.basename('a/b.c'))

local means, rows = {0.2, 0.4, 0.6}, {{1, 2}, {3, 4}}
local function shifted(picture)
   local mean = picture.new(means):view(3, 1, 1):expandAs(picture)
   return picture - mean
end
local picture = torch.rand(3, 4, 5)
print(shifted(picture):sum(), picture.new(rows):sum(), picture.new {1, 2}:div(4)[1])
local counts = torch.LongTensor(2):fill(1)
print(counts.new {3, 4}[2], counts:sum())
