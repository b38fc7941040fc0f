-- goes through the files of a directory
require 'paths'
local lfs = require 'lfs'
local root = os.tmpname() .. '_d'
paths.mkdir(root)
paths.mkdir(paths.concat(root, 'inner'))
for _, name in ipairs({'b.txt', 'a.txt', 'c.csv', 'd.txt.bak'}) do
   local file = io.open(paths.concat(root, name), 'w')
   file:write(name, '\n')
   file:close()
end

local function isText(name) return name:match('%.txt$') ~= nil end

for name in paths.files(root) do
   if name ~= '.' and name ~= '..' then io.write(name, ' ') end
end
print()
for name in paths.files(root, '%.txt$') do print('pattern', name) end
for name in paths.files(root, isText) do print('function', name) end
local longest = ''
for name in paths.files(root, function(n) return n:find('txt') end) do
   if #name > #longest then longest = name end
end
print(longest)
-- only files
for name in paths.iterfiles(root) do
   if name == 'c.csv' then break end
   print('file', name)
end
for name in paths.iterdirs(root) do print('directory', name) end
local count = 0
for name in lfs.dir(root) do count = count + 1 end
print(count, #paths.dir(root))
os.execute('rm -r ' .. root)
