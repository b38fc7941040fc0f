-- Reading and writing files.
local path = os.tmpname()
local file = io.open(path, 'w')
file:write('first line\n', 'second ', 2, '\n')
file:write(string.format('%d,%d,%.1f\n', 1, 2, 3.5))
file:close()
for line in io.lines(path) do print('[' .. line .. ']') end
local input = assert(io.open(path, 'r'))
local header = input:read('*l')
local rest = input:read('*a')
input:close()
print(header, #rest)
local rows = {}
for line in io.lines(path) do
   local row = {}
   for number in line:gmatch('%d+%.?%d*') do row[#row + 1] = tonumber(number) end
   if #row > 0 then rows[#rows + 1] = row end
end
print(#rows, #rows[2], rows[2][3])
local missing = io.open('/nowhere/at/all')
print(missing == nil)
local handle, message = io.open('/nowhere/at/all', 'r')
if not handle then print('cannot open') end
local f = io.open(path)
while true do
   local line = f:read()
   if not line then break end
   io.write(line:sub(1, 5), ';')
end
print()
f:close()
local g = io.open(path, 'a')
g:write('appended\n')
g:close()
local n = 0
for _ in io.lines(path) do n = n + 1 end
print(n)
os.remove(path)
print(io.open(path) == nil)
io.stdout:write('to stdout\n')
print(type(os.time()), type(os.clock()), os.getenv('NO_SUCH_VARIABLE') == nil)

-- a name of a file that is not there yet
local other = paths.tmpname()
print(paths.filep(other))
local out = io.open(other, 'w')
out:write('one\ntwo\n')
out:close()
for line in io.lines(other) do print(line) end
os.remove(other)
