-- Classes by torch.class, and by metatables.
require 'torch'

do
   -- An account with a balance.
   local Account = torch.class('Account')

   function Account:__init(owner, balance)
      self.owner = owner
      self.balance = balance or 0
   end

   -- puts money in
   function Account:deposit(amount)
      self.balance = self.balance + amount
      self.last = amount      -- the last one
      return self.balance
   end

   function Account:describe()
      if self.last then
         return self.owner .. ': ' .. self.balance .. ' last ' .. self.last
      end
      return self.owner .. ': ' .. self.balance
   end

   function Account.compare(a, b)
      return a.balance < b.balance
   end

   function Account:__tostring()
      return 'Account(' .. self.owner .. ')'
   end
end

do
   local Saving, parent = torch.class('Saving', 'Account')
   Saving.rate = 0.05

   function Saving:__init(owner)
      parent.__init(self, owner, 100)
      self.years = 0
   end

   function Saving:year()
      self.years = self.years + 1
      self:deposit(self.balance * self.rate)
   end

   function Saving:describe()
      return parent.describe(self) .. ' after ' .. self.years
   end
end

local a = Account('ann', 10)
a:deposit(5)
print(a:describe())
local b = Saving('bob')
print(b:describe())
b:year()
b:year()
print(b:describe())
print(Account.compare(a, b), tostring(a), a.owner)
local all = {a, b, Account('cy')}
local total = 0
for i, x in ipairs(all) do
   total = total + x.balance
   print(i, x:describe())
end
print(string.format('%.2f', total))

-- by metatable
local Vec = {}
Vec.__index = Vec

function Vec.new(x, y)
   local self = setmetatable({}, Vec)
   self.x, self.y = x, y
   return self
end
function Vec.__add(a, b) return Vec.new(a.x + b.x, a.y + b.y) end
function Vec.__eq(a, b) return a.x == b.x and a.y == b.y end
function Vec:__tostring() return '(' .. self.x .. ', ' .. self.y .. ')' end
function Vec:dot(o) return self.x * o.x + self.y * o.y end

local v, w = Vec.new(1, 2), Vec.new(3, 4)
print(tostring(v + w), v:dot(w), v == w, v == Vec.new(1, 2))

local Animal = {}
Animal.__index = Animal
function Animal:new(name)
   local o = {name = name, legs = 4}
   setmetatable(o, self)
   return o
end
function Animal:speak() return self.name .. ' says ' .. self:sound() end
function Animal:sound() return '?' end
local Bird = setmetatable({}, {__index = Animal})
Bird.__index = Bird
function Bird:new(name, song)
   local o = Animal.new(self, name)
   o.song = song
   o.legs = 2
   return o
end
function Bird:sound() return self.song end
print(Animal:new('cat'):speak())
print(Bird:new('wren', 'trill'):speak(), Bird:new('owl', 'hoot').legs)
