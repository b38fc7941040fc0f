-- pl.Set: sets, whose elements are the keys of a table. They have operators and no methods: Set.map(s, f).
--
-- Arguments: core, host, Set. The packages pl.class, pl.Map, pl.tablex and pl.utils are loaded before.

local _, _, Set = ...
local class, Map, tablex, utils = require 'pl.class', require 'pl.Map', require 'pl.tablex', require 'pl.utils'

class(Map, nil, Set)
Set._name, Set.__index = 'Set', nil

local function is_map(t)
   local mt = getmetatable(t)
   return mt == Set or mt == Map
end

-- Set(t): of the keys of a set or map, of the items of a list.
function Set:_init(t)
   if is_map(t) then
      for key in pairs(t) do self[key] = true end
   else
      for _, item in ipairs(t or {}) do self[item] = true end
   end
end

Set.values, Set.len = tablex.keys, tablex.size
Set.__len = Set.len

function Set.map(s, f, ...)
   f = utils.function_arg(1, f)
   local result = Set()
   for element in pairs(s) do result[f(element, ...)] = true end
   return result
end

function Set.union(s, other) return tablex.merge(s, other, true) end
function Set.intersection(s, other) return tablex.merge(s, other, false) end
function Set.difference(s, other) return tablex.difference(s, other, false) end
function Set.symmetric_difference(s, other) return tablex.difference(s, other, true) end

-- `+` and `-` take one element too.
function Set.__add(s, other) return Set.union(s, is_map(other) and other or Set {other}) end
function Set.__sub(s, other) return Set.difference(s, is_map(other) and other or Set {other}) end
Set.__mul, Set.__pow = Set.intersection, Set.symmetric_difference

function Set.issubset(s, other)
   for element in pairs(s) do
      if not other[element] then return false end
   end
   return true
end
Set.__lt = Set.issubset

function Set.isempty(s) return next(s) == nil end
function Set.isdisjoint(s, other) return Set.isempty(Set.intersection(s, other)) end
function Set.__eq(s, other) return Set.issubset(s, other) and Set.issubset(other, s) end
function Set.__tostring(s) return '[' .. Set.values(s):join ',' .. ']' end
