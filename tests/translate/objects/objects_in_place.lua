-- Objects that get their metatable where they are made, by functions outside of the class.
local Point = {}
Point.__index = Point

local function point(x, y) return setmetatable({x = x, y = y}, Point) end

function Point:plus(dx, dy) return point(self.x + dx, self.y + dy) end
function Point:name() return self.label or '(' .. self.x .. ', ' .. self.y .. ')' end

local origin = setmetatable({x = 0, y = 0, label = 'origin'}, Point)
local moved = {y = 2, x = 1}
setmetatable(moved, Point)
print(origin:name(), moved:name(), origin:plus(3, 4):name(), point(5, 6):plus(1, 1):name())
