-- readObject and writeObject: Lua's tables, functions and objects to and from files, tensors by way of Python.
--
-- What is written before is written as its index; so each file remembers what it has written and read. A table
-- remembers the order in which its keys were read, so that it is written in the same order again.
--
-- A function is written as its compiled code and the values of the variables around it. Read back it is a function
-- again only where this process has compiled it itself: such code is good for one engine, and a file may hold any.
-- Otherwise it is a stand-in that is written back as it was, and an error to call.
--
-- Here is what both directions know: the files' states, and what kind of thing a value is. `serial_write.lua` writes,
-- `serial_read.lua` reads, `serial_files.lua` has torch.save, torch.load and their kin.
--
-- Arguments: core, host, class, module, torch, Lua's own `next`, chunk. Sets methods of torch.File, functions of torch.

local core, host, class, module, torch, next, chunk = ...

local type, rawget, rawequal, setmetatable, package = type, rawget, rawequal, setmetatable, package
local real_metatable, getinfo = debug.getmetatable, debug.getinfo
local handle_of, raw, fail = core.handle_of, core.raw, core.fail

local File = class.registered['torch.File']

-- The numbers that stand for kinds in a file; KNOWN is a tensor or an object that Python has read before.
local KIND = {
   NIL = 0, NUMBER = 1, STRING = 2, TABLE = 3, TORCH = 4, BOOLEAN = 5, OLD_FUNCTION = 6, LEGACY_FUNCTION = 7,
   FUNCTION = 8, KNOWN = 9,
}
local OURS = '=[torch7py]'

local orders = setmetatable({}, {__mode = 'k'})        -- table or object -> its keys as they were read
local opaque = setmetatable({}, {__mode = 'k'})        -- stand-in -> {code, upvalues, kind}
local states = setmetatable({}, {__mode = 'k'})        -- file -> what it has read and written

local function state_of(file)
   local state = states[file]
   if not state then
      state = {written = {}, read = {}, names = {}, depth = 0, upvalue_ids = {}, upvalue_count = 0, closures = {},
               referenced = true}
      states[file] = state
   end
   return state
end

local function handle(file)
   local h = handle_of[file]
   if not h then fail('a torch.File expected, got %s', class.type(file)) end
   return h
end

function File:referenced(value)
   local state = state_of(self)
   state.referenced = value and true or false
   raw(host.t7_referenced, handle(self), state.referenced)
   return self
end

-- The int 1 or 0, of any value.
function File:writeBool(value) self:writeInt(value and 1 or 0) end

function File:isReferenced() return state_of(self).referenced end

-- The class of an object that has one and can be made anew: constructor tables and the like have none.
local function class_of(x)
   local kind = type(x)
   if kind ~= 'table' and kind ~= 'userdata' then return nil end
   local mt = real_metatable(x)
   local name = type(mt) == 'table' and rawget(mt, '__typename')
   if name and rawequal(class.registered[name], mt) and rawget(mt, '__factory') then return name end
   return nil
end

local function is_tensor(h) return h and h % 32 < 16 end

-- Where a package that is loaded has a function: 'optim' and {'sgd'}; nil where none has it. The standard library's are
-- C functions in the original, which cannot be saved.
local STANDARD = {_G = true, string = true, table = true, math = true, io = true, os = true, debug = true,
                  coroutine = true, package = true, bit = true, jit = true, ffi = true}

-- The first name, by the alphabet, that a function has in a table: what `next` comes to first differs from run to run.
local function name_in(t, f)
   local found
   for key, value in next, t do
      if type(key) == 'string' and rawequal(value, f) and (not found or key < found) then found = key end
   end
   return found
end

local function place_in(t, f)
   local name = name_in(t, f)
   if name then return {name} end
   local found
   for key, value in next, t do
      if type(key) == 'string' and type(value) == 'table' and (not found or key < found[1]) then
         local inner = name_in(value, f)
         if inner then found = {key, inner} end
      end
   end
   return found
end

local function place_of(f)
   local first, keys
   for name, value in next, package.loaded do
      if type(name) == 'string' and not STANDARD[name] and (not first or name < first) then
         local found = rawequal(value, f) and {} or type(value) == 'table' and place_in(value, f)
         if found then first, keys = name, found end
      end
   end
   return first, keys
end

-- A function of ours as one that can be saved, and calls it by its name: upstream's were in Lua.
local named = setmetatable({}, {__mode = 'k'})

local function by_name(f)
   if named[f] then return named[f] end
   local package_name, keys = place_of(f)
   if not package_name then return nil end
   local source = string.format('return require %q', package_name)
   for i = 1, #keys do source = source .. string.format('[%q]', keys[i]) end
   named[f] = core.native_load(source .. '(...)', '=' .. package_name)
   return named[f]
end

local function is_ours(f)
   local info = getinfo(f, 'S')
   return info.what == 'C' or string.sub(info.source, 1, #OURS) == OURS
end

local function kind_of(x)
   if x == nil then return KIND.NIL end
   local kind = type(x)
   if kind == 'number' then return KIND.NUMBER end
   if kind == 'string' then return KIND.STRING end
   if kind == 'boolean' then return KIND.BOOLEAN end
   if is_tensor(handle_of[x]) or class_of(x) then return KIND.TORCH end
   if kind == 'table' then return KIND.TABLE end
   if kind == 'function' then
      if opaque[x] then return opaque[x].kind end
      if not is_ours(x) or by_name(x) then return KIND.FUNCTION end
   end
   return nil
end

function File:isWritableObject(object) return kind_of(object) end

-- A method under its name or, where a class keeps the name for something else, with `__` before it.
local function method(x, name)
   local mt = real_metatable(x)
   local f = mt['__' .. name]
   if type(f) ~= 'function' then f = mt[name] end
   return type(f) == 'function' and f or nil
end

local serial = {
   File = File,
   KIND = KIND, GROUP = 60,   -- values that cross in one call
   orders = orders, opaque = opaque, state_of = state_of, handle = handle, class_of = class_of, is_tensor = is_tensor,
   kind_of = kind_of, method = method, is_ours = is_ours, by_name = by_name,
}
chunk('serial_write.lua')(core, host, module, serial, next)
chunk('serial_read.lua')(core, host, class, module, torch, serial, next)
chunk('serial_files.lua')(core, host, class, torch)
