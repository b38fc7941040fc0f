-- readObject: Lua's tables, functions and objects from files.
--
-- Arguments: core, host, class, module, torch, serial (what serial.lua shares), Lua's own `next`.

local core, host, class, module, torch, serial, next = ...

local type, pcall, rawset, unpack = type, pcall, rawset, unpack
local handle_of, wrap, raw, fail, finish = core.handle_of, core.wrap, core.raw, core.fail, core.finish
local on_a_new_stack, LEVELS = core.on_a_new_stack, core.LEVELS

local File = serial.File
local KIND, GROUP, orders = serial.KIND, serial.GROUP, serial.orders
local revive, with_upvalues, builtin_table, STANDS_FOR = serial.revive, serial.with_upvalues, serial.builtin_table, serial.STANDS_FOR
local NIL, NUMBER, STRING, TABLE, TORCH = KIND.NIL, KIND.NUMBER, KIND.STRING, KIND.TABLE, KIND.TORCH
local BOOLEAN, KNOWN, OLD_FUNCTION = KIND.BOOLEAN, KIND.KNOWN, KIND.OLD_FUNCTION
local OBJECT = 18   -- the kind in a handle of what Python has read as an object
local state_of, handle, is_tensor, method = serial.state_of, serial.handle, serial.is_tensor, serial.method

local read_object

-- The keys of a table as they came, unless that is 1, 2, 3, ...
local function remember(t, keys, n)
   for i = 1, n do
      if keys[i] ~= i then
         orders[t] = keys
         return
      end
   end
end

local function read_table(file, h, t)
   local left = 2 * raw(host.t7_count, h)
   local queue, at, have = nil, 1, 0
   local function following()
      left = left - 1
      if at > have then
         queue = {raw(host.t7_scalars, h, left + 1 < GROUP and left + 1 or GROUP)}
         at, have = 1, #queue
         if have == 0 then return read_object(file) end
      end
      at = at + 1
      return queue[at - 1]
   end
   local keys, n = {}, 0
   while left > 0 do
      local key = following()
      local value = following()
      if key == nil or key ~= key then fail('nil or nan as the key of a table that is read') end
      if value ~= nil then
         n = n + 1
         keys[n] = key
         t[key] = value
      end
   end
   remember(t, keys, n)
   return t
end

local function read_function(file, h, state, kind, index)
   local f = revive(raw(host.t7_string, h), kind)
   if index and state.referenced then state.read[index] = f end
   f = with_upvalues(f, kind, read_object(file), state.closures)
   if index and state.referenced then state.read[index] = f end
   return f
end

-- A function that Python has read, handed to a script.
local make_object = core.make[OBJECT]
core.make[OBJECT] = function(handle)
   local code, kind, mask, upvalues = raw(host.t7_code_of, handle)
   if not code then return make_object(handle) end
   local f = revive(code, kind)
   core.own(f, handle)
   return with_upvalues(f, kind, core.read(mask, upvalues), {})
end

local function fill(object, fields)
   if orders[fields] then orders[object] = orders[fields] end
   for key, value in next, fields do object[key] = value end
end

local function read_class_object(file, h, state, index)
   local version, name, tensor = raw(host.t7_class, h)
   if tensor then
      local x = wrap(raw(host.t7_tensor, h, index, name))
      if state.referenced then state.read[index] = x end
      return x
   end
   local factory = torch.factory(name)   -- looked up each time: programs put their own in its place
   if not factory then fail("unknown Torch class <%s> (is its package required?)", name) end
   local object = factory(file)
   module.prepare(object)
   if state.referenced then state.read[index] = object end
   local read = method(object, 'read')
   if read then
      read(object, file, version)
      return object
   end
   if type(object) ~= 'table' then fail('cannot load an object of class <%s>', name) end
   fill(object, read_object(file))
   return object
end

local function read_content(file, h, state, kind, index)
   if kind == TABLE then
      local t = {}
      if state.referenced then state.read[index] = t end
      read_table(file, h, t)
      if t[STANDS_FOR] == nil then return t end
      t = builtin_table(t)
      if state.referenced then state.read[index] = t end
      return t
   end
   if kind == TORCH then return read_class_object(file, h, state, index) end
   return read_function(file, h, state, kind, index)
end

function read_object(file)
   local h = handle(file)
   local kind, value, known = raw(host.t7_head, h)
   if kind == NUMBER or kind == STRING or kind == BOOLEAN then return value end
   if kind == NIL then return nil end
   local state = state_of(file)
   if kind == KNOWN then
      local x = wrap(known)
      if state.referenced then state.read[value] = x end
      return x
   end
   if kind == OLD_FUNCTION then return read_function(file, h, state, kind, nil) end
   local done = state.referenced and state.read[value]
   if done then return done end
   local depth = state.depth + 1
   state.depth = depth
   local x
   if depth % LEVELS == 0 then
      x = on_a_new_stack(read_content, file, h, state, kind, value)
   else
      x = read_content(file, h, state, kind, value)
   end
   state.depth = depth - 1
   return x
end

function File:readObject() return read_object(self) end

-- x:write(file) and x:read(file): a tensor or storage without its head. The class is the reader's to know.
for name, mt in next, class.registered do
   if type(name) == 'string' and string.find(name, '^torch%.%a+Tensor$') or string.find(name, '^torch%.%a+Storage$') then
      rawset(mt, 'write', function(x, file) raw(host.t7_write_content, handle(file), handle_of[x]) end)
      rawset(mt, 'read', function(x, file)
         finish(pcall(host.t7_read_content, handle(file), handle_of[x]))
         host.advance()
      end)
   end
end

-- Put what a later version of a class has in the place of what an older one saved.
local function upgrade(m, fields, version)
   local name = module.builtin_name(m)
   if not raw(host.t7_has_upgrade, name, version) then return end
   local given = {}
   for key, value in next, fields do
      local kind = type(value)
      if type(key) == 'string' and (kind == 'number' or kind == 'boolean' or is_tensor(handle_of[value])
                                    or key == 'modules' and kind == 'table') then
         given[#given + 1] = key
         given[#given + 1] = value
      end
   end
   local found = {finish(pcall(host.t7_upgraded, name, version, core.pass_all(unpack(given))))}
   local gone = found[1] or 0
   for i = 2, gone + 1 do fields[found[i]] = nil end
   for i = gone + 2, #found, 2 do fields[found[i]] = found[i + 1] end
end

function module.read(m, file, version)
   if version ~= nil and type(version) ~= 'number' then fail('%s: the version of a class is a number', class.type(m)) end
   if raw(host.t7_has_header, module.builtin_name(m), version or 1) then file:readObject() end
   local fields = file:readObject()
   if type(fields) ~= 'table' then fail('%s: a table of fields expected', class.type(m)) end
   upgrade(m, fields, version or 1)
   module.restore(m, fields, version)
   if orders[fields] then orders[m] = orders[fields] end
end
