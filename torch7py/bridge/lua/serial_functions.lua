-- Functions as they are saved: their compiled code and the values of the variables around them.
--
-- A built-in function, which the original has in Lua too (a method of a layer, `optim.sgd`), is saved as a small one
-- that calls it by its name, so that the original can read it. With its variables, of which it has none, stands where
-- it is to be found: read back here it is the built-in function itself. So are packages and constructors (`nn`,
-- `nn.Linear`), which a function may have as variables; the original reads a table without functions instead of these,
-- as when it has saved them itself.
--
-- Arguments: core, host, class, module, serial (what serial.lua shares), Lua's own `next`. Adds to `serial`.

local core, host, class, module, serial, next = ...

local type, rawget, rawequal, package, ipairs = type, rawget, rawequal, package, ipairs
local setmetatable, getmetatable = setmetatable, getmetatable
local getinfo, getupvalue, setupvalue, dump = debug.getinfo, debug.getupvalue, debug.setupvalue, string.dump
local upvalue_id, upvalue_join, compile = debug.upvalueid, debug.upvaluejoin, core.native_load
local raw, fail = core.raw, core.fail
local native = module.peers.native
local length = __torch7py_len
local KIND, opaque = serial.KIND, serial.opaque

local OURS = '=[torch7py]'
local FUNCTION, TABLE = 'torch7py function', 'torch7py table'   -- keys of saved tables: what they are in the place of

local function is_ours(f)
   local info = getinfo(f, 'S')
   return info.what == 'C' or string.sub(info.source, 1, #OURS) == OURS
end
serial.is_ours, serial.STANDS_FOR = is_ours, TABLE

---------------------------------------------------------------------------------------------------------
-- Built-in functions and where they are: {'package', 'optim', 'sgd'}, {'class', 'nn.Linear', 'reset'}

-- The standard library's are C functions in the original, which cannot be saved, as are those of torch's own classes.
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

local function place_in_packages(f)
   local first, keys
   for name, value in next, package.loaded do
      if type(name) == 'string' and not STANDARD[name] and (not first or name < first) then
         local found = rawequal(value, f) and {} or type(value) == 'table' and place_in(value, f)
         if found then first, keys = name, found end
      end
   end
   return first and {'package', first, keys[1], keys[2]}
end

-- The methods of a class as they were before a script put others in their place.
local function built_in_methods(c)
   local info = native(c)
   return info and info.class == c and info.all_methods or c
end

local function place_in_classes(f)
   local first, key
   for name, c in next, class.registered do
      if type(name) == 'string' and not string.find(name, '^torch%.') and (not first or name < first) then
         local found = name_in(built_in_methods(c), f) or name_in(c, f)
         if found then first, key = name, found end
      end
   end
   return first and {'class', first, key}
end

local places = setmetatable({}, {__mode = 'k'})   -- built-in function -> its place, false for none

-- Where a built-in function is, if it is one that can be saved.
local function builtin_place(f)
   local place = places[f]
   if place == nil then
      place = place_in_packages(f) or place_in_classes(f) or false
      places[f] = place or nil   -- a package that is loaded later may have it
   end
   return place
end
serial.builtin_place = builtin_place

local function source_at(place)
   local path = {}
   for part in string.gmatch(place[2], place[1] == 'class' and '[^.]+' or '.+') do path[#path + 1] = part end
   for i = 3, #place do path[#path + 1] = place[i] end
   local source = string.format('return require %q', path[1])
   for i = 2, #path do source = source .. string.format('[%q]', path[i]) end
   return source .. '(...)', '=' .. path[1]
end

-- The same of a package or a constructor.
function serial.place_of_table(t)
   if class.is_constructor(t) then
      local mt = getmetatable(t)
      return {'class', rawget(mt, '__typename')}
   end
   for name, loaded in next, package.loaded do
      if rawequal(loaded, t) and not STANDARD[name] then return {'package', name} end
   end
end

-- What a table with a place stands for.
function serial.builtin_table(t)
   local place = rawget(t, TABLE)
   if type(place) ~= 'table' then return t end
   local kind, name = place[1], place[2]
   local found = kind == 'class' and class.constructors[name] or kind == 'package' and package.loaded[name]
   return (kind == 'class' or core.furniture[found]) and found or t
end

local function builtin_at(place)
   if type(place) ~= 'table' then return nil end
   local at
   if place[1] == 'class' then
      at = class.lookup(place[2])
      at = at and built_in_methods(at)
   elseif place[1] == 'package' and type(place[2]) == 'string' then
      at = package.loaded[place[2]]
   end
   for i = 3, #place do at = type(at) == 'table' and rawget(at, place[i]) or nil end
   return type(at) == 'function' and is_ours(at) and at or nil
end

---------------------------------------------------------------------------------------------------------
-- The parts of a function

-- The compiled code of a function and the table of its variables. `state` numbers these, so that functions with one in
-- common have it in common again.
function serial.parts_of(f, state)
   if is_ours(f) then
      local place = builtin_place(f)
      return dump(compile(source_at(place))), {[FUNCTION] = place}
   end
   local upvalues = {}
   for number = 1, 255 do
      local name, value = getupvalue(f, number)
      if not name then break end
      if name == '__torch7py_len' then value = nil end
      local id
      if upvalue_id then
         local variable = upvalue_id(f, number)
         id = state.upvalue_ids[variable]
         if not id then
            id = state.upvalue_count + 1
            state.upvalue_count = id
            state.upvalue_ids[variable] = id
         end
      end
      upvalues[number] = {name = name, id = id, value = value}
   end
   return dump(f), upvalues
end

-- Another function of the same code, without values for its variables.
function serial.reloaded(f) return compile(dump(f)) end

-- Give a function a variable, with the value that `get` returns. What else has had a variable of this id, as `shared`
-- says, has it in common.
local function set_variable(f, number, id, shared, get)
   local other = id and upvalue_join and shared[id]
   if other then
      upvalue_join(f, number, other[1], other[2])
      return
   end
   if id then shared[id] = {f, number} end
   setupvalue(f, number, get())
end

-- Give a function from `reloaded` copies of the variables of that which it was made of.
function serial.rebuild(made, f, shared, copy)
   for number = 1, 255 do
      local name, value = getupvalue(f, number)
      if not name then return made end
      set_variable(made, number, upvalue_id and upvalue_id(f, number), shared, function()
         if name == '__torch7py_len' then return length end
         return copy(value)
      end)
   end
   return made
end

local function stand_in(code, kind)
   local function f()
      fail('this function was saved by another user or another Torch7: its compiled code cannot run here')
   end
   opaque[f] = {code = code, kind = kind}
   return f
end

-- A function of compiled code, if it is the user's own, or its stand-in.
function serial.revive(code, kind) return raw(host.t7_is_trusted, code) and compile(code) or stand_in(code, kind) end

-- A revived function with the variables around it; the built-in one if it is one.
function serial.with_upvalues(f, kind, upvalues, shared)
   local builtin = type(upvalues) == 'table' and builtin_at(upvalues[FUNCTION])
   if builtin then return builtin end
   if opaque[f] then
      opaque[f].upvalues = upvalues
      return f
   end
   for number, upvalue in ipairs(upvalues) do
      if kind == KIND.OLD_FUNCTION or kind == KIND.LEGACY_FUNCTION then
         setupvalue(f, number, upvalue)
      else
         set_variable(f, number, upvalue.id, shared, function()
            if upvalue.name == '__torch7py_len' then return length end
            return upvalue.value
         end)
      end
   end
   return f
end
