-- pl.tablex: more functions on tables.
--
-- Where the results are those of a list or map with a metatable they have it too; else they are a pl.List where
-- they are in order.
--
-- Arguments: core {fail}, host, tablex. The package pl.utils is loaded before.

local core, _, tablex = ...
local fail = core.fail
local utils = require 'pl.utils'
local callable = utils.function_arg

local function check(number, t)
   if type(t) ~= 'table' and type(t) ~= 'userdata' then
      fail('argument %d is a %s where a table is expected', number, type(t))
   end
end

local function like(result, t, class)
   local mt = getmetatable(t) or class and require(class)
   return mt and setmetatable(result, mt) or result
end

local function as_list(t) return setmetatable(t, require 'pl.List') end

---------------------------------------------------------------------------------------------------------
-- Copies and comparisons

function tablex.update(t, other)
   check(1, t)
   check(2, other)
   for key, value in pairs(other) do t[key] = value end
   return t
end

function tablex.copy(t)
   check(1, t)
   return tablex.update({}, t)
end

-- tablex.deepcopy(t): with copies of all tables in it, each once, and their metatables.
function tablex.deepcopy(t)
   local done = {}
   local function copy(value)
      if type(value) ~= 'table' then return value end
      if done[value] then return done[value] end
      local result = {}
      done[value] = result
      for key, item in pairs(value) do result[copy(key)] = copy(item) end
      return setmetatable(result, getmetatable(value))
   end
   return copy(t)
end

function tablex.size(t)
   check(1, t)
   local n = 0
   for _ in pairs(t) do n = n + 1 end
   return n
end

-- tablex.deepcompare(a, b[, ignore_mt[, eps]]): whether two values have equal contents.
function tablex.deepcompare(a, b, ignore_mt, eps)
   local seen = {}
   local function same(x, y)
      if type(x) ~= type(y) then return false end
      if type(x) ~= 'table' then
         if eps and type(x) == 'number' then return math.abs(x - y) < eps end
         return x == y
      end
      if seen[x] and seen[x][y] then return true end
      local mt = getmetatable(x)
      if not ignore_mt and mt and mt.__eq then return x == y end
      seen[x] = seen[x] or {}
      seen[x][y] = true
      for key in pairs(y) do
         if x[key] == nil then return false end
      end
      for key, value in pairs(x) do
         if y[key] == nil or not same(value, y[key]) then return false end
      end
      return true
   end
   return same(a, b)
end

-- tablex.compare(a, b, f): whether f holds for the items of two lists, one by one.
function tablex.compare(a, b, f)
   check(1, a)
   check(2, b)
   f = callable(3, f)
   if #a ~= #b then return false end
   for i = 1, #a do
      if not f(a[i], b[i]) then return false end
   end
   return true
end

-- tablex.compare_no_order(a, b[, f]): whether two lists have the same items in some order.
function tablex.compare_no_order(a, b, f)
   check(1, a)
   check(2, b)
   f = callable(3, f or '==')
   if #a ~= #b then return false end
   local used = {}
   for i = 1, #a do
      local partner
      for j = 1, #b do
         if not used[j] and f(a[i], b[j]) then
            partner = j
            break
         end
      end
      if not partner then return false end
      used[partner] = true
   end
   return true
end

---------------------------------------------------------------------------------------------------------
-- Finding

local function from_end(t, i) return i < 0 and #t + i + 1 or i end

function tablex.find(t, value, first)
   check(1, t)
   for i = from_end(t, first or 1), #t do
      if t[i] == value then return i end
   end
   return nil
end

function tablex.rfind(t, value, last)
   check(1, t)
   for i = from_end(t, last or #t), 1, -1 do
      if t[i] == value then return i end
   end
   return nil
end

-- tablex.find_if(t, f[, argument]): the first key for whose value f returns true, and that result.
function tablex.find_if(t, f, argument)
   check(1, t)
   f = callable(2, f)
   for key, value in pairs(t) do
      local answer = f(value, argument)
      if answer then return key, answer end
   end
   return nil
end

-- tablex.search(t, value): where a value is in nested tables, 'a.b'.
function tablex.search(t, value, exclude)
   check(1, t)
   local seen = {[t] = true}
   for _, table_ in pairs(exclude or {}) do seen[table_] = true end
   local function search(at)
      for key, item in pairs(at) do
         if item == value then return key end
      end
      for key, item in pairs(at) do
         if type(item) == 'table' and not seen[item] then
            seen[item] = true
            local rest = search(item)
            if rest ~= nil then
               return (type(key) == 'string' and key .. '.' or '[' .. tostring(key) .. ']') .. tostring(rest)
            end
         end
      end
   end
   return search(t)
end

---------------------------------------------------------------------------------------------------------
-- Functions over tables

-- tablex.map(f, t, ...): f(value, ...) for every key.
function tablex.map(f, t, ...)
   check(2, t)
   f = callable(1, f)
   local result = {}
   for key, value in pairs(t) do result[key] = f(value, ...) end
   return like(result, t)
end

function tablex.imap(f, t, ...)
   check(2, t)
   f = callable(1, f)
   local result = {}
   for i = 1, #t do result[i] = f(t[i], ...) or false end
   return like(result, t, 'pl.List')
end

function tablex.map_named_method(name, t, ...)
   check(2, t)
   local result = {}
   for i = 1, #t do result[i] = t[i][name](t[i], ...) end
   return like(result, t, 'pl.List')
end

function tablex.transform(f, t, ...)
   check(2, t)
   f = callable(1, f)
   for key, value in pairs(t) do t[key] = f(value, ...) end
end

function tablex.map2(f, a, b, ...)
   check(2, a)
   check(3, b)
   f = callable(1, f)
   local result = {}
   for key, value in pairs(a) do result[key] = f(value, b[key], ...) end
   return like(result, a, 'pl.List')
end

function tablex.imap2(f, a, b, ...)
   check(2, a)
   check(3, b)
   f = callable(1, f)
   local result = {}
   for i = 1, math.min(#a, #b) do result[i] = f(a[i], b[i], ...) end
   return result
end

-- tablex.mapn(f, ...): f of the first items of several lists, of the second ones, ...
function tablex.mapn(f, ...)
   f = callable(1, f)
   local lists, result, n = {...}, {}, math.huge
   if #lists == 0 then return result end
   for _, list in ipairs(lists) do n = math.min(n, #list) end
   for i = 1, n do
      local items = {}
      for j, list in ipairs(lists) do items[j] = list[i] end
      result[#result + 1] = f(unpack(items, 1, #lists))
   end
   return result
end

function tablex.zip(...) return tablex.mapn(function(...) return {...} end, ...) end

-- tablex.pairmap(f, t, ...): f(key, value, ...) gives a value and perhaps a key.
function tablex.pairmap(f, t, ...)
   check(2, t)
   f = callable(1, f)
   local result = {}
   for key, value in pairs(t) do
      local item, group = f(key, value, ...)
      if not group then
         result[#result + 1] = item
      elseif not result[group] then
         result[group] = item
      elseif type(result[group]) == 'table' then
         table.insert(result[group], item)
      else
         result[group] = {result[group], item}
      end
   end
   return result
end

function tablex.reduce(f, t, start)
   check(2, t)
   f = callable(1, f)
   if #t == 0 then return start end
   local result = start and f(start, t[1]) or t[1]
   for i = 2, #t do result = f(result, t[i]) end
   return result
end

function tablex.foreach(t, f, ...)
   check(1, t)
   f = callable(2, f)
   for key, value in pairs(t) do f(value, key, ...) end
end

function tablex.foreachi(t, f, ...)
   check(1, t)
   f = callable(2, f)
   for i = 1, #t do f(t[i], i, ...) end
end

-- tablex.filter(t, f[, argument]): the items of a list for which f says true.
function tablex.filter(t, f, argument)
   check(1, t)
   f = callable(2, f)
   local result = {}
   for i = 1, #t do
      if f(t[i], argument) then result[#result + 1] = t[i] end
   end
   return like(result, t, 'pl.List')
end

---------------------------------------------------------------------------------------------------------
-- Keys, values, sets

function tablex.keys(t)
   check(1, t)
   local result = {}
   for key in pairs(t) do result[#result + 1] = key end
   return as_list(result)
end

function tablex.values(t)
   check(1, t)
   local result = {}
   for _, value in pairs(t) do result[#result + 1] = value end
   return as_list(result)
end

-- tablex.index_map(t): value -> index, tablex.makeset(t): value -> true.
function tablex.index_map(t) return tablex.pairmap(function(i, value) return i, value end, t) end
function tablex.makeset(t) return tablex.pairmap(function(_, value) return true, value end, t) end

-- tablex.merge(a, b[, all]): the entries that both have, from a; with `all` the entries of either, those of b first.
function tablex.merge(a, b, all)
   check(1, a)
   check(2, b)
   local result = {}
   for key, value in pairs(a) do
      if all or b[key] then result[key] = value end
   end
   if all then tablex.update(result, b) end
   return like(result, a)
end
function tablex.union(a, b) return tablex.merge(a, b, true) end
function tablex.intersection(a, b) return tablex.merge(a, b, false) end

-- tablex.difference(a, b[, symmetric]): the entries of a alone, or of only one of the two.
function tablex.difference(a, b, symmetric)
   check(1, a)
   check(2, b)
   local result = {}
   for key, value in pairs(a) do
      if b[key] == nil then result[key] = value end
   end
   for key, value in pairs(symmetric and b or {}) do
      if a[key] == nil then result[key] = value end
   end
   return like(result, a)
end

-- tablex.count_map(t): value -> how often it is in a list.
function tablex.count_map(t)
   check(1, t)
   local counts = {}
   for i = 1, #t do counts[t[i]] = (counts[t[i]] or 0) + 1 end
   return counts
end

---------------------------------------------------------------------------------------------------------
-- Lists

function tablex.range(first, last, step)
   step = step or 1
   local result = {}
   if first == last then result[1] = first end
   if first ~= last then
      for i = first, last, step do result[#result + 1] = i end
   end
   return as_list(result)
end

function tablex._normalize_slice(t, first, last)
   first, last = first or 1, last or #t
   return from_end(t, first), from_end(t, last)
end

function tablex.sub(t, first, last)
   check(1, t)
   first, last = tablex._normalize_slice(t, first, last)
   local result = {}
   for i = first, last do table.insert(result, t[i]) end
   return like(result, t, 'pl.List')
end

function tablex.index_by(t, keys)
   check(1, t)
   check(2, keys)
   local result = {}
   for i = 1, #keys do result[i] = t[keys[i]] end
   return like(result, t, 'pl.List')
end

local function is_callable(f)
   local mt = type(f) == 'table' and getmetatable(f)
   return type(f) == 'function' or mt and mt.__call ~= nil
end

-- tablex.set(t, value[, first[, last]]): the same value, or value(i), in a range.
function tablex.set(t, value, first, last)
   check(1, t)
   local computed = is_callable(value)
   for i = first or 1, last or #t do
      if computed then t[i] = value(i) else t[i] = value end
   end
end

function tablex.new(n, value)
   local result = {}
   tablex.set(result, value, 1, n)
   return result
end

function tablex.clear(t, first)
   for i = #t, first or 1, -1 do t[i] = nil end
end

function tablex.insertvalues(t, ...)
   local at, values = ...
   if select('#', ...) == 1 then at, values = #t + 1, at end
   local n = #values
   for i = #t, at, -1 do t[i + n] = t[i] end
   for i = 1, n do t[at + i - 1] = values[i] end
   return t
end

function tablex.removevalues(t, first, last)
   first, last = tablex._normalize_slice(t, first, last)
   for _ = first, last do table.remove(t, first) end
   return t
end

local function copy_into(into, from, at, first, count)
   at, first = at or 1, first or 1
   local items = {}
   for i = first, count and math.min(first + count - 1, #from) or #from do items[#items + 1] = from[i] end
   for i = 1, #items do into[at + i - 1] = items[i] end
   return at + #items
end

-- tablex.icopy(into, from, at, first, count): copy a range, end there. tablex.move: leave what follows.
function tablex.icopy(into, from, ...)
   tablex.clear(into, copy_into(into, from, ...))
   return into
end
function tablex.move(into, from, ...)
   copy_into(into, from, ...)
   return into
end

local function sorted(t, before)
   local keys, i = {}, 0
   for key in pairs(t) do keys[#keys + 1] = key end
   table.sort(keys, before)
   return function()
      i = i + 1
      return keys[i], t[keys[i]]
   end
end

-- for key, value in tablex.sort(t[, before]): by keys; tablex.sortv(t[, before]): by values.
function tablex.sort(t, before) return sorted(t, before) end
function tablex.sortv(t, before)
   before = callable(2, before or '<')
   return sorted(t, function(a, b) return before(t[a], t[b]) end)
end

function tablex.readonly(t)
   return setmetatable({}, {
      __index = t,
      __newindex = function() fail('attempt to modify a read-only table') end,
      __pairs = function() return pairs(t) end,
      __ipairs = function() return ipairs(t) end,
      __len = function() return #t end,
      __metatable = false,
   })
end
