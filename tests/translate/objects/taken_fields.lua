-- Objects that are given all fields of a table, and the names of their classes.
local loaders = torch.class('Loader')

local function complete(options)
   options.classes = options.classes or 3
   options.samples = options.samples or 10
   return options
end

function loaders:__init(...)
   local options = complete(...)
   for name, value in pairs(options) do self[name] = value end
   if not self.hook then self.hook = function(_, x) return x end end
   self.sizes = torch.zeros(self.classes)
   for i = 1, self.classes do self.sizes[i] = i * self.samples end
end

function loaders:show()
   print(self.classes, self.samples, self.label or 'none', self.sizes:sum(), self:hook(2))
end

torch.class('Shuffled', 'Loader')

Loader{samples = 4}:show()
Loader{classes = 2, label = 'two', hook = function(self, x) return x * self.classes end}:show()
for _, loader in ipairs{Loader{}, Shuffled{classes = 1}} do print(torch.type(loader), loader.classes) end

local function sum(...)
   local items, total = {...}, 0
   for i = 1, select('#', ...) do total = total + (items[i] or 0) end
   return total
end
print(sum(1, nil, 3), sum(4, 5))
