-- Copies of what a script added to a module: its raw fields, with everything they reach.
--
-- Python copies a module and all that it knows of inside it, and then asks here for the Lua part of each. Tensors and
-- modules met on the way are copied by Python under the same memo, so that what was shared is shared among the copies.
-- A clone is what was saved and read again: plain tables have no metatables in it, functions are others with variables
-- of their own. What a file does in a way of its own (an object whose class has `write` or `read`, what cannot be
-- saved) is not done a second time here: the clone then goes through a file. Other copies (for the steps of a sequence)
-- stand for no file; there these things stay as they are.
--
-- Arguments: core, host, class, module, torch, serial (what serial.lua shares), Lua's own `next`.

local core, host, class, module, torch, serial, next = ...

local type, rawget, rawset, pcall, error, rawequal = type, rawget, rawset, pcall, error, rawequal
local getmetatable, setmetatable, real_metatable = getmetatable, setmetatable, debug.getmetatable
local handle_of, stand_in, wrap, finish = core.handle_of, core.stand_in, core.wrap, core.finish
local native, is_tensor, class_of, method = module.peers.native, serial.is_tensor, serial.class_of, serial.method
local is_ours, is_furniture, rebuild = serial.is_ours, serial.is_furniture, serial.rebuild

local TABLE = 17
local THROUGH_A_FILE = {}   -- thrown where only a file can make the clone
local depth = 0             -- of the tables and functions that are being copied, one within the other

local copy

-- A script's own functions are made anew, the built-in ones are there already.
local function copy_function(f, memo)
   if is_ours(f) or serial.opaque[f] then
      if memo.is_clone and not (is_ours(f) and serial.builtin_place(f)) then error(THROUGH_A_FILE, 0) end
      return f
   end
   local made = serial.reloaded(f)
   memo[f] = made
   return rebuild(made, f, memo.joined, function(value) return copy(value, memo) end)
end

-- A table of which a package has a part elsewhere keeps the metatable that says so until the package sees the copy.
local function copy_content(value, memo)
   local mt = real_metatable(value)
   local made = setmetatable({}, mt and (class_of(value) or rawget(mt, '__saved') or not memo.is_clone) and mt or nil)
   memo[value] = made
   for key, item in next, value do rawset(made, copy(key, memo), copy(item, memo)) end
   return made
end

local function deeper(f, value, memo)
   local level = depth + 1
   depth = level
   local made
   if level % core.LEVELS == 0 then
      made = core.on_a_new_stack(f, value, memo)
   else
      made = f(value, memo)
   end
   depth = level - 1
   return made
end

-- What Python has copied by copying a module, its lists of children with them.
local function register(source, target, memo)
   if type(source) ~= 'table' or memo[source] ~= nil then return end
   memo[source] = target
   local info = native(getmetatable(source))
   if not info then return end
   local function both(name)
      local from, to = rawget(source, name), rawget(target, name)
      if type(from) ~= 'table' or type(to) ~= 'table' then return end
      if native(getmetatable(from)) then return register(from, to, memo) end
      memo[from] = to
      for i = 1, #from do register(from[i], to[i], memo) end
   end
   both 'modules'
   for i = 1, #info.links do both(info.links[i]) end
   for i = 1, #info.lists do both(info.lists[i]) end
end

local function copied(value, memo, handle)
   local made = finish(pcall(host.copied, memo.number, handle))
   if type(value) == 'table' then register(value, made, memo) else memo[value] = made end
   return made
end

local function has_its_own_way(value)
   return class_of(value) and (method(value, 'write') or method(value, 'read'))
end

local function copy_table(value, memo)
   local handle = handle_of[value]
   if handle and handle % 32 == TABLE then   -- it may be a field of a module that Python has copied
      local made = finish(pcall(host.copied_table, memo.number, handle))
      if made ~= nil then
         memo[value] = made
         return made
      end
   elseif handle then
      return copied(value, memo, handle)
   end
   if is_furniture(value) then return value end
   if native(real_metatable(value)) then return copied(value, memo, module.peer(value)) end
   if memo.is_clone and has_its_own_way(value) then error(THROUGH_A_FILE, 0) end
   return deeper(copy_content, value, memo)
end

function copy(value, memo)
   local kind = type(value)
   if kind == 'string' or kind == 'number' or kind == 'boolean' or kind == 'nil' then return value end
   local done = memo[value]
   if done ~= nil then return done end
   if kind == 'table' then return copy_table(value, memo) end
   if kind == 'function' then return deeper(copy_function, value, memo) end
   local handle = handle_of[value]
   if is_tensor(handle) then return copied(value, memo, handle) end
   if memo.is_clone then error(THROUGH_A_FILE, 0) end
   return handle and copied(value, memo, handle) or value
end

local function copy_fields(source, target, memo)
   local engine = module.engine_fields(source)
   for key, value in next, source do
      if not engine[key] and key ~= module.COMPANIONS then rawset(target, copy(key, memo), copy(value, memo)) end
   end
end

-- The copy lives as long as the module.
local function accompany(m, made)
   local companions = rawget(m, module.COMPANIONS)
   if not companions then
      companions = {}
      rawset(m, module.COMPANIONS, companions)
   end
   companions[#companions + 1] = made
end

-- Give the module `to` copies of the fields that the script added to `from`, and return whether that could be done
-- without a file. `number` is the handle of Python's memo, `memo` ours. The copy for another step of a sequence (`step`)
-- lives as long as the original. `is_clone` is false of copies that stand for no file.
function module.copy_fields(from, to, number, memo, step, is_clone)
   local target = wrap(to)
   memo[#memo + 1] = target
   local source = stand_in[from]
   if source == nil then return true end
   if not memo.joined then
      memo.joined = {}   -- variable -> the function that has its copy, and where
      module.methods.new_entry()
   end
   memo.number, memo.is_clone, depth = number, is_clone, 0
   register(source, target, memo)
   if is_clone and serial.writes_its_own_way(source) then return false end
   local ok, err = pcall(copy_fields, source, target, memo)
   if not ok then
      if rawequal(err, THROUGH_A_FILE) then return false end
      error(err, 0)
   end
   if step then accompany(source, target) end
   module.walking.look_at_copy(target)
   return true
end

-- The clone of a module by way of a file; with `step` its parts live as long as the module's. Meanwhile nn.Module.write
-- is the built-in one, as it was in Torch7.
function module.saved_and_read(m, step)
   local base = class.registered['nn.Module']
   local held = torch.isTypeOf(m, 'nn.Module') and rawget(base, 'write')
   if held then rawset(base, 'write', module.default_write) end
   local ok, made = pcall(function()
      local file = torch.MemoryFile()
      file:writeObject(m)
      file:seek(1)
      return file:readObject()
   end)
   if held then rawset(base, 'write', held) end
   if not ok then error(made, 0) end
   if step then
      local copies = {}
      register(m, made, copies)
      for source, target in next, copies do
         if native(real_metatable(source)) then
            accompany(source, target)
            module.walking.look_at_copy(target)
         end
      end
   end
   return made
end
