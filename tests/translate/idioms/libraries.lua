--- positions and slices of tensors
local x = torch.range(1, 12):resize(3, 4)
print(x[2][3], x[{2, 3}], x[{{}, {2, 3}}]:size(2), x:narrow(1, 2, 2):size(1), x:select(2, 1):sum())
x[{1, {}}] = 0
x[2][1] = 9
print(x:sum())
--- operations on tensors
local a, b = torch.ones(2, 3), torch.ones(3, 2):mul(2)
print((a * b):sum(), torch.mm(a, b):mean(), (a + 1):sum(), torch.cmul(a, a):sum())
a:add(2, torch.ones(2, 3))
print(a:max(), a:t():size(1))
--- kinds of numbers
local x = torch.ones(3):float()
local y = x:double():mul(1.5):long()
print(y:sum(), x:type())
--- files and directories
require 'paths'
local path = paths.concat('some', 'dir', 'model.t7')
print(paths.filep(path), paths.dirp('.'), paths.basename(path))
--- options of a program
local cmd = torch.CmdLine()
cmd:option('-rate', 0.1, 'learning rate')
cmd:option('-hidden', 10, 'size of the hidden layer')
cmd:option('-name', 'x', 'name of the run')
cmd:option('-gpu', false, 'whether to use a GPU')
local opt = cmd:parse(arg or {})
print(opt.rate, opt.hidden, opt.name, opt.gpu)
--- an option whose name is not written out
local cmd = torch.CmdLine()
cmd:option('-model', 'mlp', 'which')
cmd:option('-size', 3, 'how large')
local opt = cmd:parse(arg)
for _, name in ipairs({'model', 'size', 'depth'}) do print(name, opt[name]) end
local function set(name, value) opt[name] = value end
set('size', 7)
print(opt.size)
--- time
local timer = torch.Timer()
local start = os.clock()
print(timer:time().real >= 0, os.clock() - start >= 0)
--- what type something is
local function kind(x) return type(x) end
print(kind(1), kind('a'), kind(nil), kind({}), torch.isTensor(torch.ones(1)))
--- text from and to a file
local f = io.open('notes.txt', 'w')
f:write('one\n', 'two ', 2, '\n')
f:close()
for line in io.lines('notes.txt') do print(line) end
--- saved tables and tensors
torch.save('x.t7', {x = torch.ones(3), n = 4})
local loaded = torch.load('x.t7')
print(loaded.x:sum(), loaded.n)
--- pcall of require
local found, package = pcall(require, 'package_of_nowhere')
local _, unasked = pcall(require, 'pl.tablex')
print(found)
if found then print(package.version) else print('without it') end
--- numbers at random
math.randomseed(3)
local x = math.random(6)
print(x >= 1 and x <= 6, math.random() < 1)
--- images
require 'image'
local picture = image.scale(torch.ones(3, 4, 4), 2, 2)
print(picture:size(2))
--- a program's tests
local tester = torch.Tester()
local tests = torch.TestSuite()
local function half(x) return x / 2 end
function tests.halves()
   tester:assertTensorEq(half(torch.ones(2) * 6), torch.Tensor{3, 3}, 1e-12)
   tester:asserteq(half(torch.ones(4)):size(1), 4, 'as many')
end
function tests.order()
   local x = torch.rand(5)
   tester:assertlt(x:max(), 1, 'below one')
   tester:eq(x:sum() / 5, x:mean(), 1e-12)
end
tester:add(tests)
tester:run()
--- texts in JSON
local cjson = require 'cjson'
local info = cjson.decode('{"size": 2, "words": ["oak", "yew"]}')
for i, word in ipairs(info.words) do print(i, word) end
print(cjson.encode({1, 2}), info.size)
--- plots
local gnuplot = require 'gnuplot'
local losses = torch.Tensor{3, 2, 1.5}
gnuplot.pngfigure('losses.png')
gnuplot.plot({'training', losses, '-'}, {'halves', losses / 2, '+'})
gnuplot.xlabel('epoch')
gnuplot.movelegend('left', 'bottom')
gnuplot.plotflush()
print(paths.filep('losses.png'))

--- HDF5 files: a tensor written, read whole and in part
local hdf5 = require 'hdf5'
local file = hdf5.open('squares.h5', 'w')
file:write('/squares', torch.range(1, 6):pow(2):view(3, 2))
file:close()
file = hdf5.open('squares.h5', 'r')
print(file:read('/squares'):all():sum(), file:read('/squares'):dataspaceSize()[1])
print(file:read('/squares'):partial({2, 3}, {1, 1}):sum())
file:close()
--- pairs where the order makes no difference
local ages = {ann = 31, bob = 42}
ages.cy = 5
local count, doubled = 0, {}
for name, age in pairs(ages) do
   count = count + 1
   doubled[name] = age * 2
end
print(count, doubled.cy)
--- strings as lists of characters
local s = 'Hello'
local codes = {}
for i = 1, #s do codes[i] = s:byte(i) end
print(table.concat(codes, ' '), s:sub(2, 3), s:upper(), #s, s:rep(2))
--- classes of other packages
local class = require 'class'
local Vehicle = class('Vehicle')
function Vehicle:__init(wheels) self.wheels = wheels end
function Vehicle:describe() return self:name() .. ' with ' .. self.wheels .. ' wheels' end
local Bike, parent = class('Bike', 'Vehicle')
function Bike:__init(owner)
  parent.__init(self, 2)
  self.owner = owner
end
function Bike:name() return 'the bike of ' .. self.owner end
local bike = Bike('Ann')
print(bike:describe(), class.istype(bike, 'Vehicle'))
