-- tds: vectors and hashes of strings, numbers, booleans, tensors and each other.
--
-- Upstream keeps them outside Lua's memory; here they are userdata whose elements Lua holds. A hash is gone through
-- in the order of upstream's table of buckets (order.lua).
--
-- Arguments: core {fail}, host, tds, chunk. Sets core.passed_counter, with which threads shares a counter;
-- core.storable, the names of classes whose objects may be elements; and core.freezing, the files by which other states
-- get copies: what is written to one or read from one is not changed afterwards, or the copies would differ.

local core, _, tds, chunk = ...
local fail = core.fail
local torch = torch

local type, select, pairs, ipairs, tostring, newproxy, rawset = type, select, pairs, ipairs, tostring, newproxy, rawset
local setmetatable, set_metatable, floor, unpack = setmetatable, debug.setmetatable, math.floor, unpack
local concat, insert, format = table.concat, table.insert, string.format
local order = chunk('order.lua')()

local WEAK = {__mode = 'k'}
local frozen = setmetatable({}, WEAK)
core.freezing = setmetatable({}, WEAK)

local STORABLE = {['tds.Hash'] = true, ['tds.Vec'] = true}
for name in ('Double Float Long Int Short Char Byte'):gmatch('%a+') do STORABLE['torch.' .. name .. 'Tensor'] = true end
core.storable = STORABLE

local function check_element(value)
   local kind = type(value)
   if kind == 'string' or kind == 'number' or kind == 'boolean' then return end
   local name = torch.typename(value)
   if not STORABLE[name] then fail('unsupported key/value type <%s> (set)', name or kind) end
end

-- A class whose objects are userdata; `fresh` creates `contents[object]`.
local function define(name, fresh, construct)
   local contents = setmetatable({}, WEAK)
   local class
   local function factory()
      local object = newproxy()
      contents[object] = fresh()
      return set_metatable(object, class)
   end
   local function make(...)
      local object = factory()
      construct(object, ...)
      return object
   end
   class = torch.newmetatable('tds.' .. name, nil, make, nil, factory, tds)
   rawset(class, '__version', 0)
   rawset(class, '__new', function(_, ...) return make(...) end)
   return class, contents, factory
end

local function of(contents, object, name)
   return contents[object] or fail('a tds.%s expected, got %s', name, torch.type(object))
end

local function of_unfrozen(contents, object, name)
   if frozen[object] then fail('this tds.%s has been shared with another thread: it cannot be changed any more', name) end
   return of(contents, object, name)
end

-- The methods `__write` and `__read` of a class, also for files of other states.
local function serialized(class, write, read)
   rawset(class, '__write', function(self, file)
      if core.freezing[file] then frozen[self] = true end
      write(self, file)
   end)
   rawset(class, '__read', function(self, file)
      read(self, file)
      if core.freezing[file] then frozen[self] = true end
   end)
end

local function has_number_keys(t)
   for key in pairs(t) do
      if type(key) ~= 'number' then return false end
   end
   return true
end

local function converted(value)
   if type(value) ~= 'table' then return value end
   return (has_number_keys(value) and tds.Vec or tds.Hash)(value)
end

-- 'key : value' for each entry, the lines of a value below each other.
local function entry_text(key, value)
   local first, margin = true, (' '):rep(#key)
   return (tostring(value):gsub('[^\n]+', function(line)
      local before = first and key or margin
      first = false
      return before .. line
   end))
end

local SHOWN = 20

---------------------------------------------------------------------------------------------------------
-- tds.Hash

local Hash, hashes = define('Hash', function() return {values = {}, size = 0, order = order.new()} end,
   function(self, ...)
      local t = ...
      if select('#', ...) == 0 then return end
      if select('#', ...) > 1 or type(t) ~= 'table' then fail('lua table or nothing expected') end
      for key, value in pairs(t) do self[converted(key)] = converted(value) end
   end)

rawset(Hash, '__index', function(self, key)
   if key == nil then fail('hash index is nil') end
   local hash = of(hashes, self, 'Hash')
   local value = hash.values[key]
   if value == nil then check_element(key) end
   return value
end)

rawset(Hash, '__newindex', function(self, key, value)
   if key == nil then fail('hash index is nil') end
   local hash = of_unfrozen(hashes, self, 'Hash')
   local values = hash.values
   if values[key] ~= nil then
      if value == nil then
         hash.size = hash.size - 1
         order.remove(hash.order, key)
      else
         check_element(value)
         order.touch(hash.order)
      end
      values[key] = value
      return
   end
   check_element(key)
   if value == nil then return end
   if key ~= key then fail('not a number as the key of a tds.Hash') end
   check_element(value)
   values[key] = value
   hash.size = hash.size + 1
   order.insert(hash.order, key)
end)

rawset(Hash, '__len', function(self) return of(hashes, self, 'Hash').size end)

rawset(Hash, '__pairs', function(self)
   local hash = of(hashes, self, 'Hash')
   local values, step = hash.values, order.iterate(hash.order)
   return function()
      local key = step()
      if key ~= nil then return key, values[key] end
   end
end)

serialized(Hash, function(self, file)
   file:writeLong(#self)
   for key, value in pairs(self) do
      file:writeObject(key)
      file:writeObject(value)
   end
end, function(self, file)
   for _ = 1, file:readLong() do
      local key = file:readObject()
      self[key] = file:readObject()
   end
end)

rawset(Hash, '__tostring', function(self)
   local keys, values, width = {}, {}, 0
   for key, value in pairs(self) do
      local kind = type(key)
      local text = (kind == 'string' or kind == 'number' or kind == 'boolean') and tostring(key) or torch.type(key)
      keys[#keys + 1], values[#values + 1] = text, value
      if #text > width then width = #text end
      if #keys == SHOWN then break end
   end
   local lines = {format('tds.Hash[%d]{', #self)}
   for i, key in ipairs(keys) do lines[#lines + 1] = entry_text(key .. (' '):rep(width - #key) .. ' : ', values[i]) end
   if #keys == SHOWN then lines[#lines + 1] = '...' end
   lines[#lines + 1] = '}'
   return concat(lines, '\n')
end)

---------------------------------------------------------------------------------------------------------
-- tds.Vec

local Vec, vecs = define('Vec', function() return {n = 0} end, function(self, ...)
   local t = ...
   if select('#', ...) ~= 1 or type(t) ~= 'table' then t = {...} end
   if not has_number_keys(t) then fail('lua table with number keys expected') end
   for key, value in pairs(t) do self[key] = converted(value) end
end)

local function position(key)
   if type(key) ~= 'number' or not (key > 0) then fail('positive number expected as key') end
   return floor(key - 1) + 1
end

-- Elements that are nil are absent from the table; `n` counts them.
local methods = {}

rawset(Vec, '__index', function(self, key)
   if type(key) == 'number' then return of(vecs, self, 'Vec')[position(key)] end
   return methods[key] or fail('invalid key (number) or method name')
end)

rawset(Vec, '__newindex', function(self, key, value)
   local vec = of_unfrozen(vecs, self, 'Vec')
   key = position(key)
   if value ~= nil then check_element(value) end
   vec[key] = value
   if key > vec.n then vec.n = key end
end)

rawset(Vec, '__len', function(self) return of(vecs, self, 'Vec').n end)

rawset(Vec, '__ipairs', function(self)
   local vec, at = of(vecs, self, 'Vec'), 0
   return function()
      at = at + 1
      if at <= vec.n then return at, vec[at] end
   end
end)
rawset(Vec, '__pairs', Vec.__ipairs)

-- vec:insert([position,] value): at the end by default.
function methods:insert(...)
   local vec = of_unfrozen(vecs, self, 'Vec')
   local count = select('#', ...)
   if count ~= 1 and count ~= 2 then fail('[key] value expected') end
   local key, value = ...
   if count == 1 then key, value = vec.n + 1, key end
   key = position(key)
   if value ~= nil then check_element(value) end
   if key > vec.n + 1 then fail('tds.Vec: cannot insert at %d into %d elements', key, vec.n) end
   for i = vec.n, key, -1 do vec[i + 1] = vec[i] end
   vec[key] = value
   vec.n = vec.n + 1
end

-- vec:remove([position]): the last element by default. Returns nothing.
function methods:remove(key)
   local vec = of_unfrozen(vecs, self, 'Vec')
   key = position(key or vec.n)
   if key > vec.n then return end
   for i = key, vec.n do vec[i] = vec[i + 1] end
   vec.n = vec.n - 1
end

function methods:resize(size)
   local vec = of_unfrozen(vecs, self, 'Vec')
   if type(size) ~= 'number' or not (size >= 0) then fail('size must be a positive number') end
   size = floor(size)
   for i = size + 1, vec.n do vec[i] = nil end
   vec.n = size
end

-- vec:sort(before): with glibc's merges, so that elements that compare equal have the same order.
function methods:sort(before)
   local vec = of_unfrozen(vecs, self, 'Vec')
   if type(before) ~= 'function' then
      fail(before == nil and 'compare function must be a lua or C function'
           or 'tds.Vec:sort: a C function for comparing is not supported')
   end
   local from, to, n = {}, {}, vec.n
   for i = 1, n do from[i] = vec[i] end
   local function sort(first, count)
      if count <= 1 then return end
      local half = floor(count / 2)
      local a, b, last = first, first + half, first + count
      sort(a, half)
      sort(b, count - half)
      local middle = b
      for at = first, last - 1 do
         if b >= last or a < middle and before(from[a], from[b]) then
            to[at], a = from[a], a + 1
         else
            to[at], b = from[b], b + 1
         end
      end
      for at = first, last - 1 do from[at] = to[at] end
   end
   sort(1, n)
   for i = 1, n do vec[i] = from[i] end
end

-- vec:concat([separator, first, last]): the elements' texts in one string.
function methods:concat(separator, first, last)
   local vec = of(vecs, self, 'Vec')
   local parts, size = {}, 0
   for i = first or 1, last or vec.n do
      local text = tostring(vec[i])
      if separator and size > 0 then
         parts[#parts + 1] = separator
         size = size + #separator
      end
      parts[#parts + 1] = text
      size = size + #text
   end
   return concat(parts)
end

-- The same as a torch.CharStorage.
function methods:concatstorage(...) return torch.CharStorage():string(self:concat(...)) end

serialized(Vec, function(self, file)
   file:writeLong(#self)
   for _, value in ipairs(self) do file:writeObject(value) end
end, function(self, file)
   for i = 1, file:readLong() do self[i] = file:readObject() end
end)

rawset(Vec, '__tostring', function(self)
   local vec = vecs[self]
   local lines = {format('tds.Vec[%d]{', vec.n)}
   for i = 1, vec.n do
      lines[#lines + 1] = entry_text(format('%5d : ', i), vec[i])
      if i == SHOWN then
         lines[#lines + 1] = '...'
         break
      end
   end
   lines[#lines + 1] = '}'
   return concat(lines, '\n')
end)

---------------------------------------------------------------------------------------------------------
-- tds.AtomicCounter

-- The count is in a storage, which other Lua states may have too: such a count is changed under a lock.
local add, shared_counts = tds._add, setmetatable({}, WEAK)
tds._add = nil

local function shared(count)
   if core.states_in_turn == false then shared_counts[count] = true end
   return count
end

local Counter, counters, new_counter = define('AtomicCounter', function() return torch.LongStorage {0} end, function() end)
local counting = {}

-- A job that waits for a number that another thread counts up would wait for ever. It is known by this: it reads MANY
-- times, so fast that it does nothing else (SHORT, in seconds each), ROUNDS times over, and nothing has been written.
local MANY, SHORT, ROUNDS, clock = 1000000, 2e-6, 20, os.clock
if not jit then MANY, SHORT = 10000, 4e-5 end
local reads, quick, since = 0, 0, 0

-- counter:inc(): returns the previous value.
function counting:inc()
   reads, quick = 0, 0
   local count = of(counters, self, 'AtomicCounter')
   if shared_counts[count] then return add(count, 1) end
   count[1] = count[1] + 1
   return count[1] - 1
end

function counting:get()
   reads = reads + 1
   if reads == MANY then
      local now = clock()
      quick = now - since < MANY * SHORT and quick + 1 or 0
      reads, since = 0, now
      if quick == ROUNDS and core.states_in_turn ~= false then
         quick = 0
         fail('tds.AtomicCounter: waiting for another thread to change it, but threads run one after the other here')
      end
   end
   return of(counters, self, 'AtomicCounter')[1]
end

function counting:set(value)
   reads, quick = 0, 0
   local count = of(counters, self, 'AtomicCounter')
   if shared_counts[count] then add(count, 0, floor(value)) else count[1] = floor(value) end
end

rawset(Counter, '__index', function(_, key) return counting[key] or fail('no such method') end)
rawset(Counter, '__newindex', function() fail('a tds.AtomicCounter has no fields') end)
rawset(Counter, '__tostring', function(self) return 'tds.AtomicCounter=' .. tostring(counters[self][1]) end)
rawset(Counter, '__write', function(self, file) file:writeLong(self:get()) end)
local arrived = setmetatable({}, WEAK)   -- counters whose count is another state's too
rawset(Counter, '__read', function(self, file)
   if not arrived[self] then self:set(file:readLong()) end
end)

-- A counter that is sent to another state, where it is read as a counter with the same storage.
local Passed = torch.newmetatable('tds.PassedCounter', nil, nil, nil, function(file)
   local counter = new_counter()
   counters[counter], arrived[counter] = shared(file:readObject()), true
   return counter
end, {})

function Passed:__write(file) file:writeObject(self.count) end

function core.passed_counter(counter)
   if core.states_are_processes then fail('tds.AtomicCounter: processes have no counter in common (--pools threads)') end
   return setmetatable({count = shared(counters[counter])}, Passed)
end

tds.hash, tds.vec, tds.atomic_counter = tds.Hash, tds.Vec, tds.AtomicCounter

-- The name of tds.Hash in old files.
torch.newmetatable('tds_hash', nil, nil, nil, Hash.__factory, {})
