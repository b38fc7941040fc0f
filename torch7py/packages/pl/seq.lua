-- pl.seq: sequences, which are functions that return the next value (or several) and nil at the end. Functions of
-- sequences accept lists too, unless stated otherwise.
--
-- seq(s) is an object with these functions as methods (`seq(t):filter(f):map(g):copy()`); a method of another name is
-- called on each value.
--
-- Arguments: core {fail}, host, seq. The packages pl.utils and pl.List are loaded before.

local core, _, seq = ...
local fail = core.fail
local type, tonumber, rawget, select, next, unpack = type, tonumber, rawget, select, next, unpack
local getmetatable, setmetatable = getmetatable, setmetatable
local utils, List = require 'pl.utils', require 'pl.List'
local function_arg, assert_arg = utils.function_arg, utils.assert_arg

local function callable(x)
   if type(x) == 'function' then return true end
   local mt = type(x) ~= 'string' and getmetatable(x)
   return type(mt) == 'table' and mt.__call ~= nil
end

---------------------------------------------------------------------------------------------------------
-- Sequences of something

function seq.list(t)
   assert_arg(1, t, 'table')
   local i = 0
   return function()
      i = i + 1
      return rawget(t, i)
   end
end

function seq.iter(s)
   if type(s) == 'table' then return seq.list(s) end
   return s
end
local iter = seq.iter

function seq.keys(t)
   assert_arg(1, t, 'table')
   local key
   return function()
      key = next(t, key)
      return key
   end
end

function seq.range(first, last)
   local i = first - 1
   return function()
      i = i + 1
      if i <= last then return i end
   end
end

-- seq.random(n[, l[, u]]): n numbers of math.random.
function seq.random(n, ...)
   assert_arg(1, n, 'number')
   local bounds = select('#', ...) == 2 and select(2, ...) == nil and {(...)} or {...}
   return function()
      if n == 0 then return nil end
      n = n - 1
      return math.random(unpack(bounds))
   end
end

---------------------------------------------------------------------------------------------------------
-- Predicates

function seq.greater_than(x) return function(v) return tonumber(v) > x end end
function seq.less_than(x) return function(v) return tonumber(v) < x end end
function seq.matching(pattern) return function(v) return v:find(pattern) end end

function seq.equal_to(x)
   return function(v)
      if type(x) == 'number' then v = tonumber(v) end
      return v == x
   end
end

---------------------------------------------------------------------------------------------------------
-- Sequences of sequences

-- seq.map(f, s[, arg]): f(v, arg), or f of both values where the sequence has two.
function seq.map(f, s, arg)
   f, s = function_arg(1, f), iter(s)
   return function()
      local a, b = s()
      if a ~= nil then return f(a, arg or b) or false end
   end
end

function seq.filter(s, f, arg)
   f, s = function_arg(2, f), iter(s)
   return function()
      local a, b = s()
      while a ~= nil and not f(a, arg or b) do a, b = s() end
      return a, b
   end
end

function seq.mapmethod(s, name, x, y)
   s = iter(s)
   return function()
      local v = s()
      if not v then return nil end
      if not v[name] then fail('%s does not have method %s', type(v), name) end
      return v[name](v, x, y)
   end
end

function seq.take(s, n)
   s = iter(s)
   return function()
      if n < 1 then return nil end
      n = n - 1
      return s()
   end
end

function seq.skip(s, n)
   s = iter(s)
   for _ = 1, n or 1 do
      if s() == nil then return seq.list {} end
   end
   return s
end

function seq.enum(s)
   local i = 0
   s = iter(s)
   return function()
      local a, b = s()
      if not a then return nil end
      i = i + 1
      return i, a, b
   end
end

-- seq.last(s): each value but the first, with the one before it; nil where there is none.
function seq.last(s)
   s = iter(s)
   local before = s()
   if before == nil then return nil end
   return function()
      local now, old = s(), before
      before = now
      if now ~= nil then return now, old end
   end
end

function seq.zip(s, t)
   s, t = iter(s), iter(t)
   return function() return s(), t() end
end

function seq.splice(s, t)
   s, t = iter(s), iter(t)
   return function()
      local v = s and s()
      if v ~= nil then return v end
      s = nil
      return t()
   end
end

function seq.sort(s, less)
   local values = seq.copy(s)
   table.sort(values, less)
   return seq.list(values)
end

-- seq.unique(s[, as_table]): the different values, sorted.
function seq.unique(s, as_table)
   local values = {}
   for v in next, seq.count_map(s) do values[#values + 1] = v end
   table.sort(values)
   return as_table and values or seq.list(values)
end

---------------------------------------------------------------------------------------------------------
-- Reductions of a sequence

function seq.foreach(s, f)
   f = function_arg(2, f)
   for a, b, c in iter(s) do f(a, b, c) end
end

function seq.reduce(f, s, value)
   f, s = function_arg(1, f), iter(s)
   value = value or s()
   for v in s do value = f(value, v) end
   return value
end

function seq.sum(s, f)
   local sum, n = 0, 0
   for v in iter(s) do
      sum, n = sum + (f and f(v) or v), n + 1
   end
   return sum, n
end

function seq.minmax(s)
   local low, high = 1e70, -1e70
   for v in iter(s) do
      v = tonumber(v)
      low, high = v < low and v or low, v > high and v or high
   end
   return low, high
end

function seq.count(s, f, arg)
   local n = 0
   seq.foreach(s, function(v) if f(v, arg) then n = n + 1 end end)
   return n
end

function seq.count_map(s)
   local counts = {}
   for v in iter(s) do counts[v] = (counts[v] or 0) + 1 end
   return counts
end

function seq.copy(s)
   local values = {}
   for v in iter(s) do values[#values + 1] = v end
   return setmetatable(values, List)
end

function seq.copy2(s, state, first)
   local pairs_of = {}
   for a, b in s, state, first do pairs_of[#pairs_of + 1] = {a, b} end
   return pairs_of
end

function seq.copy_tuples(s)
   s = iter(s)
   local rows, row = {}, {s()}
   while #row > 0 do
      rows[#rows + 1], row = row, {s()}
   end
   return rows
end

-- seq.printall(s[, separator[, on_a_line[, format]]])
function seq.printall(s, separator, columns, form)
   separator = separator or ' '
   columns = columns or separator == '\n' and math.huge or 7
   local n = 0
   for v in iter(s) do
      n = n + 1
      io.write(form and form:format(v) or v, n % columns == 0 and '\n' or separator)
   end
   io.write '\n'
end

---------------------------------------------------------------------------------------------------------
-- Objects

local Sequence = {}

local function object(s, ...)
   if callable(s) then return setmetatable({iter = s}, Sequence) end
   return s, ...
end

-- These take the function first.
local turned = {
   map = function(s, f, arg) return seq.map(f, s, arg) end,
   reduce = function(s, f) return seq.reduce(f, s) end,
}

function Sequence.__index(_, name)
   local f = turned[name] or seq[name]
   if f then return function(self, ...) return object(f(self.iter, ...)) end end
   return function(self, ...) return object(seq.mapmethod(self.iter, name, ...)) end
end

function Sequence.__call(self) return self.iter() end

setmetatable(seq, {__call = function(_, s, arg)
   if not callable(s) then
      if type(s) ~= 'table' then return s end
      s = seq.list(s)
   end
   local bare = s
   return object(arg and function() return bare(arg) end or s)
end})

-- seq.lines(name | file | 'STDIN')
function seq.lines(file, ...)
   if file == 'STDIN' then file = io.stdin end
   if type(file) == 'string' then return object(io.lines(file, ...)) end
   if not file.read then fail 'Pass either a string or a file-like object' end
   return object(file:lines(...))
end

function seq.import() fail 'seq.import: methods of all functions are not supported; seq(f) gives an object with them' end
