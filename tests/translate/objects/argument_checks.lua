-- Functions whose arguments are checked by rules: with defaults, in order or by name.
local argcheck = require 'argcheck'
local doc = require 'argcheck.doc'
local stock = {}

doc[[
### Shelves

A shelf keeps jars, up to a number of them.
]]

local Shelf = torch.class('stock.Shelf', stock)

Shelf.__init = argcheck{
   doc = [[
<a name="Shelf"></a>
#### stock.Shelf(@ARGP)
@ARGT

A shelf with nothing on it.
]],
   {name = 'self', type = 'stock.Shelf'},
   {name = 'room', type = 'number', default = 3},
   {name = 'label', type = 'string', default = 'shelf'},
   {name = 'price', type = 'function', default = function(weight) return 2 * weight end},
   -- what it does
   call = function(self, room, label, price)
      self.room = room
      self.label = label
      self.price = price
      self.jars = {}
   end
}

Shelf.put = argcheck{
   {name = 'self', type = 'stock.Shelf'},
   {name = 'weight', type = 'number'},
   {name = 'most', type = 'number', defaulta = 'weight'},
   {name = 'note', type = 'string', opt = true},
   call = function(self, weight, most, note)
      if #self.jars < self.room then table.insert(self.jars, math.min(weight, most)) end
      return note or 'no note'
   end
}

Shelf.value = argcheck{
   {name = 'self', type = 'stock.Shelf'},
   call = function(self)
      local sum = 0
      for _, weight in ipairs(self.jars) do sum = sum + self.price(weight) end
      return sum
   end
}

local clamp = argcheck{
   {name = 'x', type = 'number'},
   {name = 'low', type = 'number', default = -1},
   {name = 'high', type = 'number', default = 1},
   call = function(x, low, high) return math.max(low, math.min(high, x)) end
}

local scale = argcheck{
   nonamed = true,
   {name = 'x', type = 'torch.*Tensor'},
   {name = 'by', type = 'number', default = 2},
   call = function(x, by) return x * by end
}

local shelf, other = stock.Shelf(), stock.Shelf{label = 'other', room = 1}
print(shelf:put(4), shelf:put(5, 3), shelf:put(6, 'fragile'), shelf:put{weight = 7, note = 'late'})
print(other:put{weight = 2}, other:put(9), #other.jars, other.label, shelf.label)
print(shelf:value(), other:value(), stock.Shelf(2, 'dear', function(w) return w * w end).price(3))
print(clamp(4), clamp(-4, -2), clamp{x = 3, high = 9}, clamp(0.5, nil, 0.25))
print(scale(torch.Tensor{1, 2}):sum(), scale(torch.Tensor{1, 2}, 5):sum())
