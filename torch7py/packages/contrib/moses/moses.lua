-- moses: functions over tables, as of version 1.4. Iterators take the key first: f(key, value, ...).
--
-- A missing function is an error that names it.
--
-- Arguments: core {fail}, host, moses.

local core, _, moses = ...
local pairs, ipairs, next, type, unpack, setmetatable = pairs, ipairs, next, type, unpack, setmetatable
local floor, max, min = math.floor, math.max, math.min

moses._VERSION = 'Moses v1.4.0'

local function is_table(value) return type(value) == 'table' end

local function count(t)
   local n = 0
   for _ in pairs(t) do n = n + 1 end
   return n
end

-- Whether two values have the same content.
local function equal(a, b)
   if a == b then return true end
   if not is_table(a) or not is_table(b) then return false end
   for key, value in pairs(a) do
      if not equal(value, b[key]) then return false end
   end
   for key in pairs(b) do
      if a[key] == nil then return false end
   end
   return true
end

local function holds(value, expected)
   if type(expected) == 'function' then return expected(value) end
   return equal(value, expected)
end

---------------------------------------------------------------------------------------------------------
-- Tables

function moses.each(t, f, ...)
   for key, value in pairs(t) do f(key, value, ...) end
end

function moses.map(t, f, ...)
   local result = {}
   for key, value in pairs(t) do result[key] = f(key, value, ...) end
   return result
end

function moses.reduce(t, f, state)
   for _, value in pairs(t) do
      if state == nil then state = value else state = f(state, value) end
   end
   return state
end

-- The values for which f holds, or does not, as an array.
local function chosen(t, verdict, f, ...)
   local result = {}
   for key, value in pairs(t) do
      if (f(key, value, ...) and true or false) == verdict then result[#result + 1] = value end
   end
   return result
end

function moses.select(t, f, ...) return chosen(t, true, f, ...) end
function moses.reject(t, f, ...) return chosen(t, false, f, ...) end

function moses.all(t, f, ...)
   for key, value in pairs(t) do
      if not f(key, value, ...) then return false end
   end
   return true
end

-- The key of a value, or of the first one that a predicate accepts.
function moses.detect(t, expected)
   for key, value in pairs(t) do
      if holds(value, expected) then return key end
   end
end

function moses.include(t, expected) return moses.detect(t, expected) ~= nil end

-- The values of some keys, as an array; of those that are there.
function moses.at(t, ...)
   local result = {}
   for _, key in ipairs {...} do
      if t[key] ~= nil then result[#result + 1] = t[key] end
   end
   return result
end

function moses.pluck(t, field)
   local result = {}
   for _, value in pairs(t) do
      if value[field] ~= nil then result[#result + 1] = value[field] end
   end
   return result
end

local function extreme(better)
   return function(t, of, ...)
      local best
      for _, value in pairs(t) do
         if of then value = of(value, ...) end
         if best == nil or not better(best, value) then best = value end
      end
      return best
   end
end
moses.max = extreme(function(a, b) return a > b end)
moses.min = extreme(function(a, b) return a < b end)

function moses.sort(t, before)
   table.sort(t, before)
   return t
end

function moses.count(t, expected)
   if expected == nil then return count(t) end
   local n = 0
   for _, value in pairs(t) do
      if equal(value, expected) then n = n + 1 end
   end
   return n
end

-- size(t), or size(...): the number of values.
function moses.size(first, ...)
   if is_table(first) then return count(first) end
   return count {first, ...}
end

function moses.keys(t)
   local result = {}
   for key in pairs(t) do result[#result + 1] = key end
   return result
end

function moses.values(t)
   local result = {}
   for _, value in pairs(t) do result[#result + 1] = value end
   return result
end

-- shuffle(t[, seed]): the values in random order (Fisher-Yates).
function moses.shuffle(t, seed)
   if seed then math.randomseed(seed) end
   local result = {}
   for key, value in pairs(t) do
      local other = floor(math.random() * key) + 1
      result[key] = result[other]
      result[other] = value
   end
   return result
end

function moses.has(t, key) return t[key] ~= nil end

function moses.invert(t)
   local result = {}
   for key, value in pairs(t) do result[value] = key end
   return result
end

-- A copy; of tables inside too, unless shallow.
function moses.clone(t, shallow)
   if not is_table(t) then return t end
   local result = {}
   for key, value in pairs(t) do result[key] = shallow and value or moses.clone(value) end
   return result
end

function moses.extend(t, ...)
   for _, other in ipairs {...} do
      for key, value in pairs(other) do t[key] = value end
   end
   return t
end

---------------------------------------------------------------------------------------------------------
-- Arrays

-- The values from index `first` (the first one) to `last` (the number of values).
function moses.slice(array, first, last)
   first, last = first or next(array), last or #array
   return chosen(array, true, function(key) return key >= first and key <= last end)
end

function moses.first(array, n) return moses.slice(array, 1, min(n or 1, #array)) end

function moses.initial(array, n)
   if n and n < 0 then return end
   return moses.slice(array, 1, n and #array - min(n, #array) or #array - 1)
end

-- The last n values; without n all but the first.
function moses.last(array, n)
   if n and n <= 0 then return end
   return moses.slice(array, n and #array - min(n - 1, #array - 1) or 2, #array)
end

function moses.rest(array, first)
   if first and first > #array then return {} end
   return moses.slice(array, first and max(1, min(first, #array)) or 1, #array)
end

function moses.reverse(array)
   local result = {}
   for i = #array, 1, -1 do result[#result + 1] = array[i] end
   return result
end

function moses.compact(array)
   return chosen(array, true, function(_, value) return value end)
end

function moses.indexOf(array, expected)
   for i = 1, #array do
      if array[i] == expected then return i end
   end
end

function moses.find(array, expected, from)
   for i = from or 1, #array do
      if equal(array[i], expected) then return i end
   end
end

function moses.difference(array, other)
   if not other then return moses.clone(array) end
   return chosen(array, false, function(_, value) return moses.include(other, value) end)
end

function moses.append(a, b)
   local result = {}
   for _, part in ipairs {a, b} do
      for _, value in ipairs(part) do result[#result + 1] = value end
   end
   return result
end

function moses.concat(array, separator, first, last)
   local result = {}
   for key, value in pairs(array) do result[key] = tostring(value) end
   return table.concat(result, separator, first or 1, last or #array)
end

function moses.flatten(array, shallow)
   local result = {}
   for _, value in pairs(array) do
      if is_table(value) then
         for _, inner in ipairs(shallow and value or moses.flatten(value)) do result[#result + 1] = inner end
      else
         result[#result + 1] = value
      end
   end
   return result
end

function moses.uniq(array)
   local result = {}
   for i = 1, #array do
      if not moses.include(result, array[i]) then result[#result + 1] = array[i] end
   end
   return result
end

function moses.push(array, ...)
   for _, value in ipairs {...} do array[#array + 1] = value end
   return array
end

-- The first n values (1), taken out.
function moses.pop(array, n)
   local taken = {}
   for i = 1, min(n or 1, #array) do taken[i] = table.remove(array, 1) end
   return unpack(taken)
end

-- The last n values (1), taken out.
function moses.unshift(array, n)
   local taken = {}
   for i = 1, min(n or 1, #array) do taken[i] = table.remove(array) end
   return unpack(taken)
end

-- range([from, ]to[, step]): from is 0, step 1 by default; an empty list if the step leads away from `to`.
function moses.range(from, to, step)
   if from == nil or step == 0 then return {} end
   if to == nil then from, to = 0, from end
   step = step or 1
   local steps, result = floor((to - from) / step), {}
   for i = 0, steps > 0 and steps or -1 do result[#result + 1] = from + i * step end
   return result
end

function moses.rep(value, n)
   local result = {}
   for i = 1, n do result[i] = value end
   return result
end

---------------------------------------------------------------------------------------------------------
-- Functions

function moses.bind(f, first)
   return function(...) return f(first, ...) end
end

-- A function with its first arguments bound; both lists of arguments end at a nil.
function moses.bindn(f, ...)
   local bound = {...}
   return function(...) return f(unpack(moses.append(bound, {...}))) end
end

---------------------------------------------------------------------------------------------------------
-- Values

function moses.identity(value) return value end
moses.isEqual = equal
moses.isTable = is_table
function moses.isFunction(value) return type(value) == 'function' end
function moses.isString(value) return type(value) == 'string' end
function moses.isNumber(value) return type(value) == 'number' end
function moses.isBoolean(value) return type(value) == 'boolean' end
function moses.isNil(value) return value == nil end
function moses.isFinite(value) return type(value) == 'number' and value > -math.huge and value < math.huge end
function moses.isNaN(value) return type(value) == 'number' and value ~= value end
function moses.isInteger(value) return type(value) == 'number' and floor(value) == value end

function moses.isEmpty(value)
   if type(value) == 'string' then return #value == 0 end
   return not is_table(value) or next(value) == nil
end

function moses.isArray(value)
   if not is_table(value) then return false end
   for i = 1, count(value) do
      if value[i] == nil then return false end
   end
   return true
end

for alias, name in pairs {
   forEach = 'each', collect = 'map', inject = 'reduce', foldl = 'reduce', filter = 'select', discard = 'reject',
   every = 'all', any = 'include', some = 'include', contains = 'include', head = 'first', take = 'first',
   tail = 'rest', skip = 'last', sub = 'slice', unique = 'uniq', shift = 'pop', without = 'difference',
   diff = 'difference', mirror = 'invert', join = 'concat', compare = 'isEqual',
} do
   moses[alias] = moses[name]
end

setmetatable(moses, {
   __index = function(_, name)
      if type(name) == 'string' then core.fail("moses: the function '%s' is not supported", name) end
   end,
})
