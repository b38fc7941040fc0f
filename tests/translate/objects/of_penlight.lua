local class = require 'pl.class'

-- A shape has a name.
local Shape = class()

function Shape:_init(name) self.name = name end
function Shape:area() return 0 end
function Shape:__tostring() return self.name .. ' of ' .. self:area() end

class.Square(Shape)

function Square:_init(side)
   self:super('square')
   self.side = side
end

function Square:area() return self.side * self.side end

local Dot = class(Shape)

local square, dot = Square(3), Dot('dot')
print(square, dot, square:is_a(Shape), Shape:class_of(dot), dot:is_a(Square))
