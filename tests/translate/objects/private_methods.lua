-- Methods whose names begin with two underscores and mean nothing to Lua, and globals by way of _G.
require 'torch'
_G.factor = 2
_G.settings = {unit = 'cm'}

do
   local C = torch.class('Ruler')
   function C:__init(count)
      self.count, self._sides, self.__sides = count, 2, 4
      self:__clear()
   end
   function C:__clear() self.marks = {} end
   function C:sides() return self.__sides - self._sides / 8 end
   function C:__mark(at)
      table.insert(self.marks, at)
      return #self.marks
   end
   function C:draw()
      for i = 1, self.count do self:__mark(i * _G.factor) end
      return self
   end
end

local function show(ruler) print(#ruler.marks, ruler.marks[1], _G.settings.unit, settings.unit) end
show(Ruler(3):draw())
factor = 5
show(_G.Ruler(2):draw())
print(Ruler(1):sides())
