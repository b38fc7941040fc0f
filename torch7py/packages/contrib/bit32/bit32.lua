-- bit32: Lua 5.2's operations on the 32 bits of integers, by arithmetic alone.
--
-- Arguments: core {fail}, host, bit32.

local core, _, bit32 = ...
local fail = core.fail

local floor, select, tonumber, type = math.floor, select, tonumber, type
local WORD = 2 ^ 32

-- An argument as an integer from 0 to 2^32 - 1.
local function word(x, number, name)
   local value = tonumber(x)
   if not value then fail("bad argument #%d to '%s' (number expected, got %s)", number, name, type(x)) end
   return floor(value) % WORD
end

local function integer(x, number, name)
   local value = tonumber(x)
   if not value then fail("bad argument #%d to '%s' (number expected, got %s)", number, name, type(x)) end
   return value < 0 and -floor(-value) or floor(value)
end

-- A function of two words, from its table for two half bytes.
local function bitwise(combine)
   local halves = {}
   for a = 0, 15 do
      for b = 0, 15 do
         local sum, bit = 0, 1
         for i = 0, 3 do
            local x, y = floor(a / bit) % 2, floor(b / bit) % 2
            sum = sum + combine(x, y) * bit
            bit = bit * 2
         end
         halves[16 * a + b] = sum
      end
   end
   return function(a, b)
      local sum, factor = 0, 1
      for _ = 1, 8 do
         sum = sum + halves[16 * (a % 16) + b % 16] * factor
         a, b, factor = floor(a / 16), floor(b / 16), factor * 16
      end
      return sum
   end
end

local band = bitwise(function(x, y) return x * y end)
local bor = bitwise(function(x, y) return x + y - x * y end)
local bxor = bitwise(function(x, y) return (x + y) % 2 end)

-- Of any number of arguments.
local function folded(name, f, start)
   return function(...)
      local value = start
      for i = 1, select('#', ...) do value = f(value, word((select(i, ...)), i, name)) end
      return value
   end
end

bit32.band = folded('band', band, WORD - 1)
bit32.bor = folded('bor', bor, 0)
bit32.bxor = folded('bxor', bxor, 0)
local all = folded('btest', band, WORD - 1)
function bit32.btest(...) return all(...) ~= 0 end
function bit32.bnot(x) return WORD - 1 - word(x, 1, 'bnot') end

-- To the left, by a negative number to the right.
local function shift(x, by)
   if by <= -32 or by >= 32 then return 0 end
   if by < 0 then return floor(x / 2 ^ -by) end
   return x % 2 ^ (32 - by) * 2 ^ by
end

function bit32.lshift(x, by) return shift(word(x, 1, 'lshift'), integer(by, 2, 'lshift')) end
function bit32.rshift(x, by) return shift(word(x, 1, 'rshift'), -integer(by, 2, 'rshift')) end

-- To the right with copies of the highest bit.
function bit32.arshift(x, by)
   x, by = word(x, 1, 'arshift'), integer(by, 2, 'arshift')
   if by < 0 or x < 2 ^ 31 then return shift(x, -by) end
   if by >= 32 then return WORD - 1 end
   return shift(x, -by) + WORD - 2 ^ (32 - by)
end

local function rotate(x, by)
   by = by % 32
   return shift(x, by) + floor(x / 2 ^ (32 - by))
end

function bit32.lrotate(x, by) return rotate(word(x, 1, 'lrotate'), integer(by, 2, 'lrotate')) end
function bit32.rrotate(x, by) return rotate(word(x, 1, 'rrotate'), -integer(by, 2, 'rrotate')) end

local function check_field(field, width, name, number)
   field, width = integer(field, number, name), width == nil and 1 or integer(width, number + 1, name)
   if field < 0 then fail("bad argument #%d to '%s' (field cannot be negative)", number, name) end
   if width < 1 then fail("bad argument #%d to '%s' (width must be positive)", number + 1, name) end
   if field + width > 32 then fail('trying to access non-existent bits') end
   return field, width
end

-- bit32.extract(x, field[, width]) and bit32.replace(x, value, field[, width]): bits counted from the lowest, 0.
function bit32.extract(x, field, width)
   x = word(x, 1, 'extract')
   field, width = check_field(field, width, 'extract', 2)
   return floor(x / 2 ^ field) % 2 ^ width
end

function bit32.replace(x, value, field, width)
   x, value = word(x, 1, 'replace'), word(value, 2, 'replace')
   field, width = check_field(field, width, 'replace', 3)
   local old = floor(x / 2 ^ field) % 2 ^ width
   return x + (value % 2 ^ width - old) * 2 ^ field
end
