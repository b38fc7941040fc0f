-- Classes by prototypes: an object of one is the next one's class.
local Shape = {sides = 0, colour = 'grey'}

function Shape:new(o)
   o = o or {}
   setmetatable(o, self)
   self.__index = self
   return o
end

function Shape:area() return 0 end

-- what is said of each
function Shape:describe()
   local name = self.name or 'nameless'
   return name .. ' ' .. self.colour .. ' ' .. self.sides .. ' ' .. self:area()
end

local Square = Shape:new{sides = 4, colour = 'blue'}
function Square:area() return self.side * self.side end

local Cube = Square:new()
function Cube:area() return 6 * Square.area(self) end
function Cube:volume() return self.side ^ 3 end

local shapes = {
   Shape:new(),
   Shape:new{name = 'dot', colour = 'red'},
   Square:new{side = 3, name = 'tile'},
   Cube:new{side = 2, colour = 'white'},
}
for _, shape in ipairs(shapes) do print(shape:describe()) end
local box = Cube:new{side = 3}
box.sides = 6
print(box:volume(), box.sides, Square.sides, box.name == nil)
