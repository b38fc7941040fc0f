-- Modules in Lua: their classes, and their fields as a script sees them.
--
-- A module is a table with the class as metatable, and a Python peer that owns the engine's fields (module_proxies.lua). Methods of
-- the built-in classes call Python, between a walk of the tree below the module (walk.lua) and its return.
--
-- Arguments: core, host, config, class, headers, tensor, reading, chunk. Result: the table `module`.

local core, host, config, class, headers, tensor, reading, chunk = ...
local peers = chunk('module_proxies.lua')(core, host, class)
local methods = chunk('methods.lua')(host, class, peers)
local records = chunk('records.lua')(peers, methods)
local walking = chunk('walk.lua')(core, host, peers, methods, records)
local small = chunk('small_steps.lua')(core, host, config, headers, tensor, peers, methods, records)
local programs = chunk('step_programs.lua')(core, host, config, headers, tensor, reading, peers, methods, records, walking, chunk)
local lend = chunk('borrowed_methods.lua')(core, host, peers, methods, walking)

-- `peer(m)`: the handle of a module; one whose constructor has not called its parent's gets a peer.
local module = {peers = peers, methods = methods, walking = walking, peer = peers.peer, heirs = peers.heirs,
                vouch = methods.vouch, set_virtual = methods.set_virtual, set_beside_passes = methods.set_beside_passes,
                walk = walking.walk, watch = walking.watch, enter = walking.enter,
                adopt = walking.adopt, small = small}

local type, next, pcall, rawget, rawset, select = type, next, pcall, rawget, rawset, select
local setmetatable, getmetatable = setmetatable, getmetatable
local handle_of, stand_in, own, finish = core.handle_of, core.stand_in, core.own, core.finish
local pass_all, rethrow, fail = core.pass_all, core.rethrow, core.fail
local native, peer, give_field, read_field, set_field = peers.native, peers.peer, peers.give_field, peers.read_field, peers.set_field
local changed, changed_in, telling = peers.changed, peers.changed_in, peers.telling
local mark, note_builtin = methods.mark, methods.note_builtin
local enter, call, leave, adopt, append = walking.enter, walking.call, walking.leave, walking.adopt, walking.append

local MODULE, TABLE = 16, 17
local initialize = core.moving(host.initialize)

core.make[MODULE] = function(handle)
   local name, builtin = host.class_of(handle)
   if not (class.registered[name] or class.registered[builtin]) then core.load_package(host.package_of(handle)) end
   local c = class.registered[name] or class.registered[builtin]
   if not c then fail("class '%s' is not known here (is its package required?)", name) end
   local m = setmetatable({}, c)
   own(m, handle)
   adopt(m)
   local extras = {host.extras(handle)}   -- what a file had besides the fields of its class
   local there = native(c).known_there or {}
   for i = 1, #extras do
      local name = extras[i]
      if not there[name] then rawset(m, name, finish(pcall(host.get_field, handle, name))) end
   end
   return m
end

-- The metatable functions of classes that descend from a built-in one.
function class.adorn(c, parent)
   local info = parent and native(parent)
   if not info then return end
   module.equip(c, info)
end

function module.equip(c, info)
   local fields = info.fields
   rawset(c, '__index', function(m, key)
      if fields[key] then
         local handle = handle_of[m]
         if handle then
            local value = read_field(m, handle, key)
            if value ~= nil then return value end
         end
      end
      local f = c.__index__
      if f ~= nil then
         local value, found = f(m, key)
         if found then return value end
      end
      return c[key]
   end)
   rawset(c, '__newindex', function(m, key, value)
      if fields[key] then return set_field(m, key, value) end
      if telling[key] then changed_in(m) end
      local f = c.__newindex__
      if f ~= nil and f(m, key, value) then return end
      if key == nil or key ~= key then fail('table index is %s', key == nil and 'nil' or 'NaN') end
      rawset(m, key, value)
   end)
   rawset(c, '__torch7py_peer', peer)
   rawset(c, '__pairs', function(m) return next, module.fields(m), nil end)
end

-- The results of a call, when all is done. The caller's frame stays until then (a tail call would have ended it), and
-- with it the object and what was passed: perhaps nothing else holds them, or the modules in them, with the fields that
-- the script has given these.
local function behind(_, ...) return ... end

-- What forward and backward of nn.Module and nn.Criterion come to where the methods that they call are a script's: nothing
-- of Python's is in between then, and nothing there needs to know.
local function is_scripts(self, class, info, name)
   local f = rawget(self, name)
   if f == nil then f = class[name] end
   return type(f) == 'function' and f ~= info.all_methods[name] and not methods.is_vouched(f)
end

-- A script's method is given as many arguments as by the original: it may count them.
local function module_forward(self, input) return self:updateOutput(input) end
local function criterion_forward(self, input, target) return self:updateOutput(input, target) end
local function criterion_backward(self, input, target) return self:updateGradInput(input, target) end

local function module_backward(self, input, gradOutput, scale)
   self:updateGradInput(input, gradOutput)
   local accumulate, info = self.accGradParameters, native(getmetatable(self))
   if info.key ~= 'nn.Module' or accumulate ~= info.all_methods.accGradParameters then
      accumulate(self, input, gradOutput, scale or 1)
   end
   return self.gradInput
end

local PASSES = {['nn.Module'] = {}, ['nn.Criterion'] = {}}

PASSES['nn.Module'].forward = function(self, class, info, n)
   if n == 1 and is_scripts(self, class, info, 'updateOutput') then return module_forward end
end

PASSES['nn.Module'].backward = function(self, class, info, n)
   if n >= 2 and (is_scripts(self, class, info, 'updateGradInput') or is_scripts(self, class, info, 'accGradParameters')) then
      return module_backward
   end
end

PASSES['nn.Criterion'].forward = function(self, class, info, n)
   if n <= 2 and is_scripts(self, class, info, 'updateOutput') then return criterion_forward end
end

PASSES['nn.Criterion'].backward = function(self, class, info, n)
   if n <= 2 and is_scripts(self, class, info, 'updateGradInput') then return criterion_backward end
end

-- Whether a method would change nothing: Python looks at a tree that is as it knows it, once an epoch unless something is set.
local needless_when, WEAK = setmetatable({}, {__mode = 'k'}), {__mode = 'v'}

local function is_needless(m, name)
   methods.new_entry()
   if not walking.look(m) then return false end
   local record = records.last(m)
   records.tell(record)
   local when, now = needless_when[m], core.epoch and core.epoch[0]
   if when and when.name == name and when.epoch == now and when.settings == peers.settings and when.of[1] == record then return true end
   local found = core.raw(host.is_needless, handle_of[m], name)
   needless_when[m] = found and now and {name = name, epoch = now, settings = peers.settings, of = setmetatable({record}, WEAK)} or nil
   return found
end

-- A method of a built-in class: not virtual, so that parent.method(self, ...) means what it says. Tables at the
-- numbers in `stay` are passed as they are, for Python to read and write. One that appends a module needs no walk: a
-- model of n modules is built in n steps. One that is `needless` where Python says so is left out then.
local function native_method(key, name, structural, stay, appending, needless)
   local f = host.method(key, name)
   local plain = f
   local pass_all = pass_all
   if stay then
      local numbers = {}
      for i = 1, #stay do numbers[stay[i]] = true end
      pass_all = function(...) return core.pass_some(numbers, ...) end
   end
   f = core.moving(f)
   local kin = setmetatable({}, {__mode = 'k'})   -- the classes that descend from this one
   local function is_foreign(self)
      local c = getmetatable(self)
      if kin[c] == nil and type(self) == 'table' and native(c) then kin[c] = host.is_kin(peer(self), key, name) end
      return kin[c] == false
   end
   local function restructuring(self, ...)
      local walked = enter(self)
      local function adopted(...)   -- what comes back may be a module that nothing else holds now
         adopt(self)
         return ...
      end
      local function done(ok, mask, ...)
         leave(walked)
         if not ok then rethrow(mask) end
         return adopted(core.read(mask, ...))
      end
      return behind(self, done(call(f, peer(self), pass_all(...))))
   end
   local function done(walked, ok, mask, ...)
      leave(walked)
      if not ok then rethrow(mask) end
      return core.read(mask, ...)
   end
   local function direct(self, ...)
      return behind(self, done(enter(self), call(f, handle_of[self], pass_all(...))))
   end
   if structural then direct = restructuring end
   local function by_python(self, ...)
      local c = getmetatable(self)
      if kin[c] ~= true and is_foreign(self) then return lend(self, key, direct, ...) end
      if appending and append(self, plain, ...) then return self end
      if needless and select('#', ...) == 0 and is_needless(self, name) then return end
      local info = native(c)   -- the method may be its parent's, and it the one whose children change
      if structural or info and info.structural[name] then return restructuring(self, ...) end
      return behind(self, done(enter(self), call(f, handle_of[self], pass_all(...))))
   end
   local serve, run_program = small.serve(name), programs.serve(name)
   if not run_program then return by_python end
   local method
   local function otherwise(self, n, a, b, c, is_done, ...)
      if is_done then return ... end
      if n == 1 then return by_python(self, a) end
      if n == 2 then return by_python(self, a, b) end
      if n == 3 then return by_python(self, a, b, c) end
      return by_python(self)
   end
   local function by_program(self, n, a, b, c, is_done, ...)
      if is_done then return ... end
      if n == 0 then return otherwise(self, 0, a, b, c, run_program(self)) end
      if n == 1 then return otherwise(self, 1, a, b, c, run_program(self, a)) end
      if n == 2 then return otherwise(self, 2, a, b, c, run_program(self, a, b)) end
      return otherwise(self, 3, a, b, c, run_program(self, a, b, c))
   end
   local pass = PASSES[key] and PASSES[key][name]
   -- Whether the objects of a class have this method, or would have it but for a script that calls what was there before.
   local function is_of_class(class, method)
      if class[name] == method then return true end
      local info = native(class)
      return info and info.all_methods[name] == method
   end
   function method(self, ...)
      local n, class = select('#', ...), getmetatable(self)
      if n > 3 or type(self) ~= 'table' or class == nil or not is_of_class(class, method) then return by_python(self, ...) end
      local a, b, c = ...
      local info = pass and native(class)
      if info and info.passes == key and class.__index__ == nil then
         local f = pass(self, class, info, n)
         if f then return f(self, a, b, c) end
      end
      if not serve then return by_program(self, n, a, b, c, false) end
      return by_program(self, n, a, b, c, serve(self, ...))
   end
   return method
end

function module.default_read(...) return module.read(...) end
function module.default_write(...) return module.write(...) end

-- Define the Lua class of a built-in one, or define it anew.
-- description: {key, name, parent, version, fields, links, lists, calls_in_passes, halves, passes, skips_unwritable, methods, structural,
-- appending, needless}
function module.define(d)
   changed()
   for i = 1, #d.links do telling[d.links[i]] = true end
   for i = 1, #d.lists do telling[d.lists[i]] = true end
   local parent = d.parent and class.registered[d.parent]
   local fields, link_set = {}, {}
   for i = 1, #d.fields do fields[d.fields[i]] = true end
   for i = 1, #d.links do link_set[d.links[i]] = true end
   fields.modules = nil
   local info = {key = d.key, fields = fields, links = d.links, link_set = link_set, lists = d.lists, calls_in_passes = d.calls_in_passes,
                 halves = d.halves, passes = d.passes, structural = d.structural, skips_unwritable = d.skips_unwritable}
   local c = class.registered[d.name]
   local replaced = c and native(c)
   c = c or class.create(d.name, parent)
   info.class = c
   peers.describe(c, info)
   module.equip(c, info)
   local all = setmetatable({}, {__index = replaced and replaced.all_methods or parent and native(parent).all_methods})
   local here = setmetatable({}, {__index = replaced and replaced.own})
   for i = 1, #d.methods do
      local name = d.methods[i]
      local method
      if name == '__init' then
         local new_peer = d.class_fields[1] and host.new_peer or host.new_unfinished_peer
         method = function(self, ...)
            if peers.own_info(self) then   -- parent:__init(self): the class has these fields then, for all its objects
               if d.parent then fail('%s:__init() is not supported: is %s.__init(self) meant?', d.name, d.name) end
               local object = setmetatable({}, self)
               object:__init()
               rawset(self, 'output', object.output)
               rawset(self, 'gradInput', object.gradInput)
               return
            end
            if handle_of[self] == nil then
               own(self, new_peer(native(getmetatable(self)).key, getmetatable(self).__typename))
            end
            methods.new_entry()
            mark(self, methods.of_class(getmetatable(self), native(getmetatable(self))))
            for i = 1, #d.class_fields do
               local value = getmetatable(self)[d.class_fields[i]]
               if value ~= nil then give_field(handle_of[self], d.class_fields[i], value) end
            end
            local ok, count = pcall(initialize, d.key, handle_of[self], pass_all(...))
            core.advance()
            if not ok then rethrow(count) end
            adopt(self, count)
         end
      else
         method = native_method(d.key, name, d.structural[name], d.stay[name], d.appending[name], d.needless[name])
      end
      all[name], here[name] = method, method
      note_builtin(method)
      rawset(c, name, method)
   end
   if not d.parent then
      rawset(c, 'read', module.default_read)
      rawset(c, 'write', module.default_write)
   end
   rawset(c, '__version', d.version)
   info.all_methods, info.own = all, here
   if replaced then return end
   local function factory() return setmetatable({}, c) end
   local function construct(...)
      local object = setmetatable({}, c)
      object:__init(...)
      return object
   end
   class.publish(d.name, c, nil, construct, factory)
end

function core.class_named(key) return class.registered[string.match(key, '^[^@]+')] end

-- Another function for a method of a built-in class, which does not count as a script's.
function module.redefine(c, name, f)
   native(c).all_methods[name], native(c).own[name] = f, f
   note_builtin(f)
   rawset(c, name, f)
end

-- Methods that a package adds to a class defined before.
function module.extend(key, name, methods)
   local c = class.registered[name]
   for i = 1, #methods do
      local method = native_method(key, methods[i], false)
      native(c).all_methods[methods[i]], native(c).own[methods[i]] = method, method
      note_builtin(method)
      rawset(c, methods[i], method)
   end
end

-- The key under which a module keeps its clones for other steps; scripts do not see it.
module.COMPANIONS = setmetatable({}, {__tostring = function() return 'companions' end})

-- rawset and setmetatable as scripts have them: what they do to a module is announced.
function module.rawset(t, key, value)
   if telling[key] then changed_in(t) end
   return rawset(t, key, value)
end

function module.watching(set)
   return function(t, mt)
      if t ~= nil and handle_of[t] then changed_in(t) end
      return set(t, mt)
   end
end

-- The fields of a module that are not the script's own.
function module.engine_fields(m)
   local info = native(getmetatable(m))
   return setmetatable({modules = true}, {__index = function(_, key) return info.fields[key] or info.link_set[key] end})
end

-- Have all fields of a module in it, those too that a package makes when they are asked for.
function module.complete(m)
   local info = native(getmetatable(m))
   if info and info.complete then info.complete(m) end
   peers.tell_numbers(m)
end

-- All fields of a module, for pairs: its own and the engine's.
function module.fields(m)
   local handle = handle_of[m]
   module.complete(m)
   local all = {}
   for key, value in next, m do
      if key ~= module.COMPANIONS then all[key] = value end
   end
   if handle then
      local names = {host.field_names(handle)}
      for i = 1, #names do
         local name = names[i]
         if all[name] == nil then all[name] = m[name] end
      end
   end
   return all
end

function module.is(m)
   local handle = m ~= nil and handle_of[m]
   return handle and handle % 32 == MODULE or false
end

-- next over all fields of a module; for other tables Lua's own.
function module.next(t, key)
   if type(t) == 'table' and module.is(t) then return next(module.fields(t), key) end
   return next(t, key)
end

-- Convert the tensors among the script's own fields of a module.
function module.map_tensors(handle, convert)
   local m = stand_in[handle]
   if m == nil then return end
   local seen = {}
   local function change(value)
      local h = value ~= nil and handle_of[value]
      if h then
         if h % 32 < 8 then return finish(pcall(host.apply_map, convert, h)) end
         if h % 32 ~= TABLE then return value end
      end
      if type(value) == 'table' and not seen[value] and getmetatable(value) == nil then
         seen[value] = true
         for key, item in next, value do value[key] = change(item) end
      end
      return value
   end
   local engine = module.engine_fields(m)
   for key, value in next, m do
      if not engine[key] and key ~= module.COMPANIONS then rawset(m, key, change(value)) end
   end
end

chunk('saved_modules.lua')(core, host, module)

return module
