-- Fields that are lists while a file is read, and tensors from then on.
local out = io.open('flowers.csv', 'w')
local lines = {}
for i = 1, 12 do lines[i] = i / 4 .. ',' .. (i % 5) * 0.5 .. ',' .. (i % 3 == 0 and 'rose' or 'lily') end
out:write(table.concat(lines, '\n'), '\n')
out:close()

local loader = {}
local numbers = {lily = 1, rose = 2}
function loader.load(name)
   local data = {}
   data.inputs = {}
   data.targets, data.names = nil, {}
   data.targets = {}
   local file = torch.DiskFile(name, 'r')
   file:quiet()
   local line = file:readString('*l')
   while line ~= '' do
      local width, height, class = string.match(line, '([^,]+),([^,]+),([^,]+)')
      data.inputs[#data.inputs + 1] = {tonumber(width), tonumber(height)}
      data.targets[#data.targets + 1] = numbers[class]
      data.names[#data.names + 1] = class
      line = file:readString('*l')
   end
   file:close()
   data.inputs = torch.Tensor(data.inputs)
   data.targets = torch.Tensor(data.targets):long()
   return data
end

torch.class('Trace')
function Trace:__init(n)
   self.points = {}
   for i = 1, n do
      if i % 2 == 1 then table.insert(self.points, i * i) end
   end
   self.points = torch.Tensor(self.points)
end
function Trace:middle() return self.points:mean() end

local data = loader.load('flowers.csv')
print(data.inputs:size(1), data.inputs:size(2), data.inputs:sum(), data.targets:sum(), #data.names)
local chosen = data.inputs:index(1, torch.LongTensor {3, 1})
print(chosen[1][1], chosen[2][2], data.names[3])
print(Trace(5):middle())
