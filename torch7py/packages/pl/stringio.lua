-- pl.stringio: strings that are read and written as files are.
--
--   local f = stringio.open '10 20'        f:read('*n', '*n')  gives 10, 20
--   local f = stringio.create()            f:write('a', 1)     then f:value() is 'a1'
--
-- Arguments: core {fail}, host, stringio.

local core, _, stringio = ...
local fail = core.fail

local Writer, Reader = {}, {}
Writer.__index, Reader.__index = Writer, Reader

function Writer:write(...)
   for i = 1, select('#', ...) do
      local part = select(i, ...)
      if part == nil then return end
      table.insert(self.tbl, part)
   end
end
function Writer:writef(format, ...) self:write(format:format(...)) end
function Writer:value() return table.concat(self.tbl) end
Writer.__tostring = Writer.value
function Writer.close() end
function Writer.seek() end

function stringio.create() return setmetatable({tbl = {}}, Writer) end

---------------------------------------------------------------------------------------------------------
-- Reading. `i` is where the next character is read.

local function line(self, keep)
   local stop = self.str:find('\n', self.i, true) or #self.str + 1
   local text = self.str:sub(self.i, keep and stop or stop - 1)
   self.i = stop + 1
   return text
end

local formats = {}

formats['*l'] = function(self) return line(self, false) end
formats['*L'] = function(self) return line(self, true) end

-- The last character stays to be read.
formats['*a'] = function(self)
   local text = self.str:sub(self.i)
   self.i = #self.str
   return text
end

formats['*n'] = function(self)
   local _, stop = self.str:find('%d+', self.i)
   if not stop then fail 'there is no number to read' end
   for _, part in ipairs {'^%.%d+', '^[eE][+-]*%d+'} do
      stop = select(2, self.str:find(part, stop + 1)) or stop
   end
   local text = self.str:sub(self.i, stop)
   self.i = stop + 1
   return tonumber(text)
end

local function read(self, format)
   if self.i > #self.str then return nil end
   if type(format) == 'number' then
      local text = self.str:sub(self.i, self.i + format - 1)
      self.i = self.i + format
      return text
   end
   local how = formats[format]
   if not how then fail 'bad read format' end
   return how(self)
end

function Reader:read(...)
   if select('#', ...) == 0 then return read(self, '*l') end
   local values = {}
   for i, format in ipairs {...} do values[i] = read(self, format) end
   return unpack(values)
end

function Reader:lines(...)
   local formats, n = {...}, select('#', ...)
   return function() return self:read(unpack(formats, 1, n)) end
end

-- f:seek([whence[, offset]]): positions count from 1.
function Reader:seek(whence, offset)
   local base = {set = 1, cur = self.i, ['end'] = #self.str}
   self.i = base[whence or 'cur'] + (offset or 0)
   return self.i
end

function Reader.close() end

function stringio.open(s) return setmetatable({str = s, i = 1}, Reader) end
function stringio.lines(s, ...) return stringio.open(s):lines(...) end
