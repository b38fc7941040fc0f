-- writeObject: Lua's tables, functions and objects into files.
--
-- Arguments: core, host, module, serial (what serial.lua shares), Lua's own `next`.

local core, host, module, serial, next = ...

local type, pcall, rawget, setmetatable, getmetatable = type, pcall, rawget, setmetatable, getmetatable
local unpack, tostring, ipairs, pairs, concat = unpack, tostring, ipairs, pairs, table.concat
local real_metatable = debug.getmetatable
local handle_of, wrap, raw, fail, finish = core.handle_of, core.wrap, core.raw, core.fail, core.finish
local on_a_new_stack, LEVELS = core.on_a_new_stack, core.LEVELS

local File = serial.File
local KIND, GROUP, orders, opaque = serial.KIND, serial.GROUP, serial.orders, serial.opaque
local NUMBER, STRING, TABLE, TORCH, BOOLEAN = KIND.NUMBER, KIND.STRING, KIND.TABLE, KIND.TORCH, KIND.BOOLEAN
local OLD_FUNCTION, FUNCTION = KIND.OLD_FUNCTION, KIND.FUNCTION
local state_of, handle, class_of = serial.state_of, serial.handle, serial.class_of
local is_tensor, kind_of, method = serial.is_tensor, serial.kind_of, serial.method
local parts_of, place_of_table, is_furniture, STANDS_FOR = serial.parts_of, serial.place_of_table, serial.is_furniture, serial.STANDS_FOR

local UPVALUES = {}   -- in the names of what is being written: the table of a function's upvalues

-- Where an object is, for messages: the table of upvalues and the numbers in it are left out.
local function path(names)
   local parts = {}
   for i = 1, #names do
      if names[i] ~= UPVALUES and names[i - 1] ~= UPVALUES then parts[#parts + 1] = tostring(names[i]) end
   end
   return concat(parts, '.')
end

-- `pairs` over all of a table, whatever its metatable says.
local function sorted(t)
   if getmetatable(t) == nil then return pairs(t) end
   return pairs(setmetatable({}, {__pairs = function() return next, t, nil end}))
end

-- What is written of a table: its metatable may say so, where some of that is not in the table itself.
local function content_of(t)
   if is_furniture(t) then return {[STANDS_FOR] = place_of_table(t)} end
   local mt = real_metatable(t)
   local saved = mt and rawget(mt, '__saved')
   return saved and saved(t) or t
end

-- The keys of a table in the order to write them: as they were read, what has come since after that.
local function ordered_keys(t, order)
   local keys, n = {}, 0
   order = order or orders[t]
   local size = 0
   for _ in next, t do size = size + 1 end
   if order then
      local seen = {}
      for i = 1, #order do
         local key = order[i]
         if rawget(t, key) ~= nil then
            n = n + 1
            keys[n] = key
            seen[key] = true
         end
      end
      if n < size then
         for key in sorted(t) do
            if not seen[key] then
               n = n + 1
               keys[n] = key
            end
         end
      end
      return keys, n
   end
   for key in sorted(t) do
      n = n + 1
      keys[n] = key
   end
   return keys, n
end

local write_object

local function is_scalar(x)
   local kind = type(x)
   return kind == 'string' or kind == 'boolean' or kind == 'number' and not (x == 0 and 1 / x < 0)
end

-- Values cross in groups: `queue` holds scalars not yet written.
local function flush(h, queue)
   local n = queue.n
   if n > 0 then
      queue.n = 0
      raw(host.t7_write_scalars, h, unpack(queue, 1, n))
   end
end

local function put_scalar(h, queue, x)
   local n = queue.n + 1
   queue.n = n
   queue[n] = x
   if n >= GROUP then flush(h, queue) end
end

local function write_table(file, h, state, t, hook)
   local order = orders[t]
   t = content_of(t)
   local keys, n = ordered_keys(t, order)
   raw(host.t7_write_count, h, n)
   local names = state.names
   local of_upvalue = names[#names - 1] == UPVALUES
   local queue = {n = 0}
   for i = 1, n do
      local key = keys[i]
      local value = rawget(t, key)
      if not hook and is_scalar(key) then
         put_scalar(h, queue, key)
      else
         flush(h, queue)
         write_object(file, key, nil, hook)
      end
      if not hook and is_scalar(value) then
         put_scalar(h, queue, value)
      else
         flush(h, queue)
         local kind = type(key)
         local name = (kind == 'string' or kind == 'number') and tostring(key) or nil
         if of_upvalue and name == 'value' and type(t.name) == 'string' then name = t.name end
         write_object(file, value, name, hook)
      end
   end
   flush(h, queue)
end

local function write_function(file, h, state, f, hook)
   local known, code, upvalues = opaque[f], nil, nil
   if known then
      code, upvalues = known.code, known.upvalues
   else
      code, upvalues = parts_of(f, state)
      raw(host.t7_trust, code, h)
   end
   raw(host.t7_write_string, h, code)
   write_object(file, upvalues, UPVALUES, hook)
end

-- What Python keeps of a function.
function module.saved_function(f)
   local known = opaque[f]
   if known then return wrap(raw(host.t7_function, known.code, known.kind, (core.pass(known.upvalues)))) end
   if not kind_of(f) then fail('Unwritable object <function>') end
   local code, upvalues = parts_of(f, {upvalue_ids = {}, upvalue_count = 0})
   raw(host.t7_trust, code)
   return wrap(raw(host.t7_function, code, FUNCTION, (core.pass(upvalues))))
end

-- Of the fields of an object those that can be written, in their order; of others a warning.
local function writable(fields, name, state)
   local found, order = {}, {}
   for _, key in ipairs((ordered_keys(fields))) do
      local value = rawget(fields, key)
      if kind_of(value) then
         found[key] = value
         order[#order + 1] = key
      else
         print(string.format('$ Warning: cannot write object field <%s> of <%s> %s', tostring(key), name, path(state.names)))
      end
   end
   orders[found] = order
   return found
end

local function write_class_object(file, h, state, object, hook)
   local name = class_of(object)
   raw(host.t7_write_class, h, rawget(real_metatable(object), '__version') or 1, name)
   local write = method(object, 'write')
   if write then
      write(object, file)
      return
   end
   if type(object) ~= 'table' then fail('<%s> is a non-serializable Torch object %s', name, path(state.names)) end
   write_object(file, writable(object, name, state), name, hook)
end

local function write_content(file, h, state, kind, object, hook)
   if kind == TABLE then
      write_table(file, h, state, object, hook)
   elseif kind == TORCH then
      write_class_object(file, h, state, object, hook)
   else
      write_function(file, h, state, object, hook)
   end
end

function write_object(file, object, name, hook)
   local h = handle(file)
   local original = object
   if hook then object = hook(object) end
   if object == nil then
      raw(host.t7_write_nil, h)
      return
   end
   local state = state_of(file)
   local names = state.names
   local depth = #names + 1
   names[depth] = name or '<?>'
   local kind = kind_of(object)
   if not kind then
      local place = path(names)
      for i = #names, 1, -1 do names[i] = nil end
      fail('Unwritable object <%s> at %s', type(object), place)
   end
   if kind == NUMBER and object == 0 and 1 / object < 0 then
      raw(host.t7_write_negative_zero, h)
   elseif kind == NUMBER or kind == STRING or kind == BOOLEAN then
      raw(host.t7_write_scalars, h, object)
   else
      local index = state.referenced and state.written[original]
      if index then
         raw(host.t7_refer, h, kind, index)
      elseif is_tensor(handle_of[object]) then
         index = raw(host.t7_write_tensor, h, handle_of[object])
         if state.referenced then state.written[original] = index end
      elseif kind == OLD_FUNCTION then
         raw(host.t7_write_count, h, kind)
         write_function(file, h, state, object, hook)
      else
         index = raw(host.t7_begin, h, kind)
         if state.referenced then state.written[original] = index end
         if depth % LEVELS == 0 then
            on_a_new_stack(write_content, file, h, state, kind, object, hook)
         else
            write_content(file, h, state, kind, object, hook)
         end
      end
   end
   for i = #names, depth, -1 do names[i] = nil end
end

function File:writeObject(object, name, hook) write_object(self, object, name, hook) end

-- The fields of a module as the table that is saved: the engine's and the script's own, in their order.
function module.saved(m)
   local fields, order = {}, {}
   local function add(key, value)
      if value ~= nil and fields[key] == nil then
         fields[key] = value
         order[#order + 1] = key
      end
   end
   module.complete(m)
   local engine = module.saved_fields(m)
   local function get(key)
      local value = rawget(m, key)
      if value == nil then value = engine[key] end
      return value
   end
   for _, key in ipairs(orders[m] or {}) do add(key, get(key)) end
   for _, key in ipairs(engine.names) do add(key, get(key)) end
   for _, key in ipairs((ordered_keys(m))) do
      if key ~= module.COMPANIONS then add(key, rawget(m, key)) end
   end
   orders[fields] = order
   return fields
end

-- What every built-in class has as `write` and `read`; a script's class may call its parent's.
function module.write(m, file)
   local header = finish(pcall(host.t7_header, module.peer(m)))
   if header ~= nil then file:writeObject(header) end
   local fields, name = module.saved(m), nil
   if module.skips_unwritable(m) then
      name = class_of(m)
      fields = writable(fields, name, state_of(file))
   end
   file:writeObject(fields, name)
end
