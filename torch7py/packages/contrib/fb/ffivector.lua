-- fb.ffivector: vectors of numbers or strings, indexed from 1, which grow by one when the index after the last is set.
--
-- Arguments: core {fail}. Result: the package.

local core = ...
local fail = core.fail
local tonumber, type, setmetatable, ipairs, error, pcall, require = tonumber, type, setmetatable, ipairs, error, pcall, require

local has_ffi, ffi = pcall(require, 'ffi')
local M = {}

-- A vector. `put` converts assigned values, `take` converts them back, and `empty` creates those of resize.
local function vector(capacity, put, take, empty, drop)
   local values, size = {}, 0
   local self, methods = {}, {}

   function methods:resize(n)
      for i = n + 1, size do
         if drop then drop(values[i]) end
         values[i] = nil
      end
      for i = size + 1, n do values[i] = empty() end
      size = n
      capacity = capacity < n and n or capacity
   end

   function methods:reserve(n) capacity = capacity < n and n or capacity end
   function methods:capacity() return capacity end

   local function valid_index(k)
      local n = tonumber(k)
      if not n or n < 1 or n > size or n % 1 ~= 0 then return nil end
      return n
   end

   local function each(_, i)
      if i < size then return i + 1, take(values[i + 1]) end
   end
   local function all(t) return each, t, 0 end

   return setmetatable(self, {
      __len = function() return size end,
      __pairs = all,
      __ipairs = all,
      __index = function(_, k)
         if not tonumber(k) then return methods[k] end
         local n = valid_index(k)
         if not n then error('Index out of range', 2) end
         return take(values[n])
      end,
      __newindex = function(_, k, v)
         local n = tonumber(k)
         if n == size + 1 then
            methods.resize(self, n)
         elseif not valid_index(k) then
            error(n and 'Index out of range' or 'Invalid index', 2)
         elseif drop then
            drop(values[n])
         end
         values[n] = put(v)
      end,
   })
end

local function same(v) return v end

-- new(ctype[, capacity, index, newindex, destructor]): of any C type; the functions convert values that are read and
-- set.
function M.new(ctype, capacity, index, newindex, destructor)
   if not has_ffi then fail 'fb.ffivector.new: there is no ffi in this Lua' end
   local element_type = ffi.typeof(ctype)
   local function put(v)
      if newindex then v = newindex(v) end
      return element_type(v)
   end
   return vector(capacity or 0, put, index or same, function() return element_type() end, destructor)
end

-- new_string([capacity])
function M.new_string(capacity)
   local function put(v)
      if type(v) ~= 'string' then fail('fb.ffivector: a string expected, not a %s', type(v)) end
      return v
   end
   return vector(capacity or 0, put, same, function() return '' end)
end

local names = {'float', 'double', 'signed char'}
for _, name in ipairs {'char', 'short', 'int', 'long'} do
   names[#names + 1] = name
   names[#names + 1] = 'unsigned ' .. name
end
for _, bits in ipairs {8, 16, 32, 64} do
   names[#names + 1] = ('int%d_t'):format(bits)
   names[#names + 1] = ('uint%d_t'):format(bits)
end
for _, name in ipairs(names) do
   local short = name:gsub(' ', '_')
   if has_ffi then M[short] = ffi.typeof(name) end
   -- new_int([capacity]) and so on: numbers, as this type holds them
   M['new_' .. short] = function(capacity) return M.new(name, capacity, tonumber) end
end

return M
