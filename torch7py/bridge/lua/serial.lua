-- readObject and writeObject: Lua's tables, functions and objects to and from files, tensors by way of Python.
--
-- What is written before is written as its index; so each file remembers what it has written and read. A table
-- remembers the order in which its keys were read, so that it is written in the same order again.
--
-- A function is written as its compiled code and the values of the variables around it. Read back it is a function
-- again only where this process has compiled it itself: such code is good for one engine, and a file may hold any.
-- Otherwise it is a stand-in that is written back as it was, and an error to call.
--
-- Here is what both directions know: the files' states, and what kind of thing a value is. `serial_functions.lua` knows
-- functions, `serial_write.lua` writes, `serial_read.lua` reads, `serial_copy.lua` makes what a clone would be without a
-- file, `serial_files.lua` has torch.save, torch.load and their kin.
--
-- Arguments: core, host, class, module, torch, Lua's own `next`, chunk. Sets methods of torch.File, functions of torch.

local core, host, class, module, torch, next, chunk = ...

local type, rawget, rawequal, setmetatable, real_metatable = type, rawget, rawequal, setmetatable, debug.getmetatable
local handle_of, raw, fail = core.handle_of, core.raw, core.fail

local File = class.registered['torch.File']

-- The numbers that stand for kinds in a file; KNOWN is a tensor or an object that Python has read before.
local KIND = {
   NIL = 0, NUMBER = 1, STRING = 2, TABLE = 3, TORCH = 4, BOOLEAN = 5, OLD_FUNCTION = 6, LEGACY_FUNCTION = 7,
   FUNCTION = 8, KNOWN = 9,
}

local serial = {File = File, KIND = KIND, GROUP = 60}   -- GROUP: values that cross in one call
local orders = setmetatable({}, {__mode = 'k'})        -- table or object -> its keys as they were read
local opaque = setmetatable({}, {__mode = 'k'})        -- stand-in -> {code, upvalues, kind}
serial.orders, serial.opaque = orders, opaque
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
   if name and rawequal(class.registered[name], mt) and rawget(mt, '__factory') and not class.is_class(x) then
      return name
   end
   return nil
end

local function is_tensor(h) return h and h % 32 < 16 end

chunk('serial_functions.lua')(core, host, class, module, serial, next)
local is_ours, builtin_place, place_of_table = serial.is_ours, serial.builtin_place, serial.place_of_table

-- Tables that are the runtime's and not a program's data: the globals, packages, classes and their constructors.
local function is_furniture(t)
   return core.furniture[t] or class.is_class(t) or class.is_constructor(t)
end

local function kind_of(x)
   if x == nil then return KIND.NIL end
   local kind = type(x)
   if kind == 'number' then return KIND.NUMBER end
   if kind == 'string' then return KIND.STRING end
   if kind == 'boolean' then return KIND.BOOLEAN end
   if is_tensor(handle_of[x]) or class_of(x) then return KIND.TORCH end
   if kind == 'table' then return (not is_furniture(x) or place_of_table(x)) and KIND.TABLE or nil end
   if kind == 'function' then
      if opaque[x] then return opaque[x].kind end
      if not is_ours(x) or builtin_place(x) then return KIND.FUNCTION end
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

serial.state_of, serial.handle = state_of, handle
serial.class_of, serial.is_tensor, serial.kind_of, serial.method = class_of, is_tensor, kind_of, method
serial.is_furniture = is_furniture

-- Whether the class of a module says itself how it is saved, or changes what every module does.
function serial.writes_its_own_way(m)
   return method(m, 'write') ~= module.default_write or method(m, 'read') ~= module.default_read
end

chunk('serial_write.lua')(core, host, module, serial, next)
chunk('serial_read.lua')(core, host, class, module, torch, serial, next)
chunk('serial_copy.lua')(core, host, class, module, torch, serial, next)
chunk('serial_files.lua')(core, host, class, torch)
