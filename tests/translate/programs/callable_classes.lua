-- Classes that are called to make objects: by a metatable's __call, with a parent, and by a method
local Stack = {}
Stack.__index = Stack
-- what a call makes
setmetatable(Stack, {__call = function(cls, ...) return cls.new(...) end})
function Stack.new(limit, name)
   local self = setmetatable({}, Stack)
   self.items, self.limit, self.name = {}, limit, name or 'stack'
   return self
end
function Stack:push(x)
   if #self.items >= self.limit then return false end
   self.items[#self.items + 1] = x
   return true
end
function Stack:size() return #self.items end

local Vector = {}
Vector.__index = Vector
setmetatable(Vector, {__call = function(self, x, y) return self:new(x, y) end})
function Vector:new(x, y)
   local o = {x = x, y = y}
   setmetatable(o, Vector)
   return o
end
function Vector:norm() return math.sqrt(self.x ^ 2 + self.y ^ 2) end

local a, b = Stack(2, 'first'), Stack(3)
print(a:push(1), a:push(2), a:push(3), a:size(), a.name)
print(b:push(5), b:size(), b.name)
local v = Vector(3, 4)
print(v:norm())
