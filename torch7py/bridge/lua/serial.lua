-- readObject and writeObject: Lua's tables, functions and objects to and from files, tensors by way of Python.
--
-- What is written before is written as its index; so each file remembers what it has written and read. A table
-- remembers the order in which its keys were read, so that it is written in the same order again.
--
-- A function is written as its compiled code and the values of the variables around it. Read back it is a function
-- again only where this process has compiled it itself: such code is good for one engine, and a file may hold any.
-- Otherwise it is a stand-in that is written back as it was, and an error to call.
--
-- Arguments: core, host, class, module, torch, Lua's own `next`. Sets methods of torch.File, torch.save, torch.load and their kin.

local core, host, class, module, torch, next = ...

local type, select, pcall, error, rawget, rawset, rawequal = type, select, pcall, error, rawget, rawset, rawequal
local setmetatable, getmetatable, unpack, tostring, ipairs = setmetatable, getmetatable, unpack, tostring, ipairs
local pairs, print, concat = pairs, print, table.concat
local real_metatable, getupvalue, setupvalue, getinfo = debug.getmetatable, debug.getupvalue, debug.setupvalue, debug.getinfo
local upvalue_id, upvalue_join = debug.upvalueid, debug.upvaluejoin
local dump, compile = string.dump, core.native_load
local handle_of, wrap, raw, fail, finish = core.handle_of, core.wrap, core.raw, core.fail, core.finish

local File = class.registered['torch.File']
local length = __torch7py_len

local NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN, OLD_FUNCTION, LEGACY_FUNCTION, FUNCTION, KNOWN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
local OURS = '=[torch7py]'
local OBJECT = 18
local GROUP = 60                                       -- values that cross in one call

local orders = setmetatable({}, {__mode = 'k'})        -- table or object -> its keys as they were read
local opaque = setmetatable({}, {__mode = 'k'})        -- stand-in -> {code, upvalues, kind}
local states = setmetatable({}, {__mode = 'k'})        -- file -> what it has read and written

local function state_of(file)
   local state = states[file]
   if not state then
      state = {written = {}, read = {}, names = {}, upvalue_ids = {}, upvalue_count = 0, closures = {}, referenced = true}
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

local function kind_of(x)
   if x == nil then return NIL end
   local kind = type(x)
   if kind == 'number' then return NUMBER end
   if kind == 'string' then return STRING end
   if kind == 'boolean' then return BOOLEAN end
   if is_tensor(handle_of[x]) or class_of(x) then return TORCH end
   if kind == 'table' then return TABLE end
   if kind == 'function' then
      if opaque[x] then return opaque[x].kind end
      local info = getinfo(x, 'S')
      if info.what ~= 'C' and info.source:sub(1, #OURS) ~= OURS then return FUNCTION end
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

---------------------------------------------------------------------------------------------------------
-- Writing

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

-- The upvalues of a function as the table that is saved of them. `state` numbers the variables, so that functions
-- with one variable in common have it in common again.
local function upvalues_of(f, state)
   local upvalues = {}
   for number = 1, 255 do
      local name, value = getupvalue(f, number)
      if not name then break end
      if name == '__torch7py_len' then value = nil end
      local id
      if upvalue_id then
         local place = upvalue_id(f, number)
         id = state.upvalue_ids[place]
         if not id then
            id = state.upvalue_count + 1
            state.upvalue_count = id
            state.upvalue_ids[place] = id
         end
      end
      upvalues[number] = {name = name, id = id, value = value}
   end
   return upvalues
end

local function code_of(f)
   local code = dump(f)
   raw(host.t7_vouch, code)
   return code
end

local function write_function(file, h, state, f, hook)
   local known = opaque[f]
   if known then
      raw(host.t7_write_string, h, known.code)
      write_object(file, known.upvalues, UPVALUES, hook)
   else
      local upvalues = upvalues_of(f, state)
      raw(host.t7_write_string, h, code_of(f))
      write_object(file, upvalues, UPVALUES, hook)
   end
end

-- What Python keeps of a function.
function module.saved_function(f)
   local known = opaque[f]
   if known then return wrap(raw(host.t7_function, known.code, known.kind, (core.pass(known.upvalues)))) end
   local upvalues = upvalues_of(f, {upvalue_ids = {}, upvalue_count = 0})
   return wrap(raw(host.t7_function, code_of(f), FUNCTION, (core.pass(upvalues))))
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
   local fields, order = {}, {}
   for _, key in ipairs((ordered_keys(object))) do
      local value = rawget(object, key)
      if kind_of(value) then
         fields[key] = value
         order[#order + 1] = key
      else
         print(('$ Warning: cannot write object field <%s> of <%s> %s'):format(tostring(key), name, path(state.names)))
      end
   end
   orders[fields] = order
   write_object(file, fields, name, hook)
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
         if kind == TABLE then
            write_table(file, h, state, object, hook)
         elseif kind == TORCH then
            write_class_object(file, h, state, object, hook)
         else
            write_function(file, h, state, object, hook)
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
   file:writeObject(module.saved(m))
end

---------------------------------------------------------------------------------------------------------
-- Reading

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

local function stand_in(code, kind)
   local function f()
      fail('this function was saved by another program: its compiled code cannot run here')
   end
   opaque[f] = {code = code, kind = kind}
   return f
end

-- A function of compiled code, if this process may run it, or its stand-in; and whether it is one.
local function revive(code, kind)
   local f = raw(host.t7_is_own, code) and compile(code) or nil
   if f then return f, false end
   return stand_in(code, kind), true
end

-- Give a function the variables around it. `closures`: variable -> function that has it already, and where.
local function set_upvalues(f, kind, upvalues, closures)
   for number, upvalue in ipairs(upvalues) do
      if kind == OLD_FUNCTION or kind == LEGACY_FUNCTION then
         setupvalue(f, number, upvalue)
      elseif upvalue.name == '__torch7py_len' then
         setupvalue(f, number, length)
      else
         setupvalue(f, number, upvalue.value)
         local id = upvalue_join and upvalue.id
         if id then
            local other = closures[id]
            if other then
               upvalue_join(f, number, other[1], other[2])
            else
               closures[id] = {f, number}
            end
         end
      end
   end
end

local function read_function(file, h, state, kind, index)
   local f, is_stand_in = revive(raw(host.t7_string, h), kind)
   if index and state.referenced then state.read[index] = f end
   local upvalues = read_object(file)
   if is_stand_in then
      opaque[f].upvalues = upvalues
   else
      set_upvalues(f, kind, upvalues, state.closures)
   end
   return f
end

-- A function that Python has read, handed to a script.
local make_object = core.make[OBJECT]
core.make[OBJECT] = function(handle)
   local code, kind, mask, upvalues = raw(host.t7_code_of, handle)
   if not code then return make_object(handle) end
   local f, is_stand_in = revive(code, kind)
   core.own(f, handle)
   upvalues = core.read(mask, upvalues)
   if is_stand_in then opaque[f].upvalues = upvalues else set_upvalues(f, kind, upvalues, {}) end
   return f
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
   local c = class.registered[name]
   local factory = c and rawget(c, '__factory')
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
   if kind == TABLE then
      local t = {}
      if state.referenced then state.read[value] = t end
      return read_table(file, h, t)
   end
   if kind == TORCH then return read_class_object(file, h, state, value) end
   return read_function(file, h, state, kind, value)
end

function File:readObject() return read_object(self) end

-- x:write(file) and x:read(file): a tensor or storage without its head. The class is the reader's to know.
for name, mt in next, class.registered do
   if type(name) == 'string' and name:find('^torch%.%a+Tensor$') or name:find('^torch%.%a+Storage$') then
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
   if raw(host.t7_has_header, module.builtin_name(m), version or 1) then file:readObject() end
   local fields = file:readObject()
   if type(fields) ~= 'table' then fail('%s: a table of fields expected', class.type(m)) end
   upgrade(m, fields, version or 1)
   module.restore(m, fields, version)
   if orders[fields] then orders[m] = orders[fields] end
end

---------------------------------------------------------------------------------------------------------
-- Whole files

local MODES = {binary = true, ascii = true}
local LONGS = {b32 = 4, b64 = 8}

local function check_mode(mode, longs)
   mode = mode or 'binary'
   if MODES[mode] or longs and LONGS[mode] then return mode end
   fail(longs and "'binary', 'b32', 'b64' or 'ascii' (or nil) expected for mode"
        or "'binary' or 'ascii' (or nil) expected for mode")
end

local function check_referenced(referenced)
   if referenced ~= nil and type(referenced) ~= 'boolean' then fail('true or false (or nil) expected for referenced') end
   return referenced ~= false
end

local function set_mode(file, mode)
   if LONGS[mode] then return file:binary():longSize(LONGS[mode]) end
   return file[mode](file)
end

function torch.save(filename, object, mode, referenced)
   mode, referenced = check_mode(mode), check_referenced(referenced)
   if type(filename) ~= 'string' then fail('torch.save: a file name expected, got %s', class.type(filename)) end
   local file = set_mode(wrap(raw(host.t7_new_file, filename)), mode):referenced(referenced)
   local ok, err = pcall(file.writeObject, file, object)
   if not ok then
      raw(host.t7_discard, handle_of[file])
      error(err, 0)
   end
   file:close()
end

function torch.load(filename, mode, referenced)
   mode, referenced = check_mode(mode, true), check_referenced(referenced)
   local file = set_mode(torch.DiskFile(filename, 'r'), mode):referenced(referenced)
   local object = file:readObject()
   file:close()
   return object
end

local function written(object, mode)
   local file = set_mode(torch.MemoryFile(), check_mode(mode))
   file:writeObject(object)
   return file
end

function torch.serialize(object, mode) return raw(host.t7_content, handle_of[written(object, mode)]) end

function torch.serializeToStorage(object, mode)
   local file = written(object, mode)
   local storage = file:storage()
   storage:resize(storage:size() - 1)
   return storage
end

function torch.deserialize(text, mode)
   if type(text) ~= 'string' then fail('torch.deserialize: a string expected, got %s', class.type(text)) end
   local file = set_mode(wrap(raw(host.t7_memory_of, text)), check_mode(mode, true))
   return file:readObject()
end

function torch.deserializeFromStorage(storage, mode)
   local bytes = storage
   if torch.isTensor(storage) then bytes = storage:clone():storage() end
   return torch.deserialize(bytes:string(), mode)
end

torch.saveobj, torch.loadobj = torch.save, torch.load
