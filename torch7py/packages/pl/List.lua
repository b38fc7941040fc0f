-- pl.List: lists with methods, after Python's. An index may count from the end where it is negative.
--
-- Arguments: core {fail}, host, List. The packages pl.utils, pl.tablex and pl.class are loaded before.

local core, _, List = ...
local fail = core.fail
local utils, tablex, class = require 'pl.utils', require 'pl.tablex', require 'pl.class'

class(nil, nil, List)
List._name = 'List'

-- A list like another one.
local function like(items, list) return setmetatable(items, getmetatable(list) or List) end

-- List.iterate(x): over the items of a table, the characters of a string, the lines of a file, or what a
-- function gives.
function List.iterate(x)
   if type(x) == 'function' then return x end
   if io.type(x) == 'file' then return x:lines() end
   local i = 0
   return function()
      i = i + 1
      if type(x) ~= 'string' then return x[i] end
      if i <= #x then return x:sub(i, i) end
   end
end

-- List(), List{...}: a table without a metatable becomes the list itself, else its items are copied.
function List._create(items)
   if type(items) == 'table' and getmetatable(items) == nil and #items > 0 then return items end
end

function List:_init(items)
   if items == nil or rawequal(items, self) then return end
   for item in List.iterate(items) do table.insert(self, item) end
end

List.new = List

function List:clone() return like({}, self):extend(self) end

function List:append(item)
   table.insert(self, item)
   return self
end
List.push = table.insert

function List:extend(items)
   for i = 1, #items do table.insert(self, items[i]) end
   return self
end

function List:insert(i, item)
   table.insert(self, i, item)
   return self
end
function List:put(item) return self:insert(1, item) end

function List:remove(i)
   table.remove(self, i)
   return self
end

function List:remove_value(item)
   local i = tablex.find(self, item)
   if i then table.remove(self, i) end
   return self
end

function List:pop(i) return table.remove(self, i or #self) end
List.get = List.pop

List.index = tablex.find
function List:contains(item) return tablex.find(self, item) ~= nil end

function List:count(item)
   local n = 0
   for i = 1, #self do
      if self[i] == item then n = n + 1 end
   end
   return n
end

function List:sort(before)
   table.sort(self, before and utils.function_arg(1, before))
   return self
end
function List:sorted(before) return List(self:clone()):sort(before) end

function List:reverse()
   for i = 1, math.floor(#self / 2) do
      local j = #self - i + 1
      self[i], self[j] = self[j], self[i]
   end
   return self
end

function List:minmax()
   local low, high = self[1], self[1]
   for i = 2, #self do
      if self[i] < low then low = self[i] end
      if self[i] > high then high = self[i] end
   end
   return low, high
end

function List:slice(first, last) return tablex.sub(self, first, last) end

function List:clear()
   tablex.clear(self)
   return self
end

-- List.range(n), List.range(first, last[, step]).
function List.range(first, last, step)
   if not last then first, last = 1, first end
   step = step or 1
   if step ~= math.floor(step) then last = last + 1e-10 end
   local list = List()
   for i = first, last, step do table.insert(list, i) end
   return list
end

function List:len() return #self end

-- list:chop(first, last): without a range. list:splice(i, items): with items before i.
function List:chop(first, last) return tablex.removevalues(self, first, last) end
function List:splice(i, items)
   for item in List.iterate(items) do
      table.insert(self, i, item)
      i = i + 1
   end
   return self
end
function List:slice_assign(first, last, items)
   first, last = tablex._normalize_slice(self, first, last)
   if last >= first then self:chop(first, last) end
   return self:splice(first, items)
end

function List:join(mark) return table.concat(utils.array_tostring(self), mark or '') end
List.concat = table.concat
function List.split(s, mark) return setmetatable(utils.split(s, mark), List) end

function List:iter() return List.iterate(self) end

function List:foreach(f, ...)
   f = utils.function_arg(1, f)
   for i = 1, #self do f(self[i], ...) end
end

local function method(item, name)
   local f = item[name]
   if f == nil then fail('%s does not have method %s', type(item), name) end
   return f
end

function List:foreachm(name, ...)
   for i = 1, #self do method(self[i], name)(self[i], ...) end
end
function List:mapm(name, ...)
   local items = {}
   for i = 1, #self do items[i] = method(self[i], name)(self[i], ...) end
   return like(items, self)
end

function List:filter(f, argument) return like(tablex.filter(self, f, argument), self) end
function List:map(f, ...) return like(tablex.imap(f, self, ...), self) end
function List:map2(f, other, ...) return like(tablex.imap2(f, self, other, ...), self) end
function List:reduce(f, start) return tablex.reduce(f, self, start) end
function List:transform(f, ...)
   tablex.transform(f, self, ...)
   return self
end

-- list:partition(f): lists of the items by what f says of each.
function List:partition(f, ...)
   f = utils.function_arg(1, f)
   local parts = {}
   for i = 1, #self do
      local key = f(self[i], ...)
      if key == nil then key = '<nil>' end
      parts[key] = parts[key] or List()
      parts[key]:append(self[i])
   end
   return parts
end

function List:__concat(other) return self:clone():extend(other) end

function List:__eq(other)
   if #self ~= #other then return false end
   for i = 1, #self do
      if self[i] ~= other[i] then return false end
   end
   return true
end

function List:__tostring() return '{' .. self:join(',') .. '}' end
