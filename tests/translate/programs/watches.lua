-- Timers that stop and go on, packages of Lua's own by name, and pictures that are shown.
require 'torch'
require 'os'
require 'image'
local io = require 'io'

local timer = torch.Timer()
timer:stop()
local before = timer:time().real
print(before < 100)
timer:resume()
timer:reset()
timer:stop()
print(timer:time().real < 100)

sys.tic()
print(sys.toc() < 100)

local f = io.open('watches.txt', 'w')
f:write('one\n')
io.close(f)
for line in io.lines('watches.txt') do print(line) end
os.remove('watches.txt')

image.display{image = torch.rand(4, 3, 8, 8), nrow = 2, legend = 'four'}
image.display(torch.rand(8, 8))
