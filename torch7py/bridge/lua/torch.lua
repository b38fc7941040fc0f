-- The table `torch`: constructors of every type, the registered operations as methods and functions, and the
-- class system's functions.
--
-- Arguments: core, host, config, class, headers, tensor, module, loops.
-- Result: the table `torch`.

local core, host, config, class, headers, tensor, module, loops = ...
local torch = {}

local type, select, rawset, rawget, getmetatable, setmetatable, unpack = type, select, rawset, rawget, getmetatable, setmetatable, unpack
local handle_of, wrap, fail = core.handle_of, core.wrap, core.fail
local ffi = config.shared and require 'ffi' or nil

---------------------------------------------------------------------------------------------------------
-- Constructors

-- The sizes of a nested table of numbers, checked; fills `out` in order.
local function measure(t, depth, sizes, out)
   local n = #t
   if sizes[depth] == nil then
      sizes[depth] = n
   elseif sizes[depth] ~= n then
      fail('invalid table: the rows of dimension %d have %d and %d entries', depth, sizes[depth], n)
   end
   if type(t[1]) == 'table' then
      for i = 1, n do
         if type(t[i]) ~= 'table' then fail('invalid table: numbers beside tables') end
         measure(t[i], depth + 1, sizes, out)
      end
   else
      if sizes.depth and sizes.depth ~= depth then fail('invalid table: numbers at several depths') end
      sizes.depth = depth
      local at = #out
      for i = 1, n do
         local value = tonumber(t[i])
         if value == nil then fail('invalid table: a %s where a number was expected', type(t[i])) end
         out[at + i] = value
      end
   end
end

local function from_table(code, t, as_storage)
   local sizes, values = {}, {}
   measure(t, 1, sizes, values)
   local n = #values
   if n == 0 then return wrap(core.raw(host.empty_tensor, code)) end
   if as_storage then
      if #sizes > 1 then fail('a storage is made of a table of numbers') end
      sizes = {n}
   end
   local handle
   if ffi then
      local buffer = ffi.new('double[?]', n)
      for i = 1, n do buffer[i - 1] = values[i] end
      handle = core.raw(host.tensor_from_buffer, code, tonumber(ffi.cast('intptr_t', buffer)), n, unpack(sizes))
   else
      local list = {}
      for i = 1, n do list[i] = values[i] end
      handle = core.raw(host.tensor_from_list, code, (core.pass(list)), unpack(sizes))
   end
   return wrap(handle)
end

local new_tensor, new_storage = tensor.func('__new'), tensor.func('__new_storage')

local TABLE = 17

-- Whether this is a table of values; one that Python has seen is too.
local function plain(t)
   return type(t) == 'table' and (handle_of[t] == nil or handle_of[t] % 32 == TABLE)
end

-- The product of sizes when a tensor of them is small enough to be Lua's own, as one without sizes is; else nil.
local function small(a, b, ...)
   if a == nil and b == nil and select('#', ...) == 0 then return 0 end
   if type(a) ~= 'number' or not (a >= 1 and a % 1 == 0) or select('#', ...) > 0 then return nil end
   local n = a
   if b ~= nil then
      if type(b) ~= 'number' or not (b >= 1 and b % 1 == 0) then return nil end
      n = a * b
   end
   return n <= headers.small and n or nil
end

-- Make the constructors of a type known, torch.DoubleTensor and torch.DoubleStorage say.
local function publish(t)
   local name, code = t[1], t[2]
   local new_tensor, new_storage = new_tensor, new_storage
   if code >= 32 then new_tensor, new_storage = tensor.func('__new', true), tensor.func('__new_storage', true) end
   local own = headers.fresh and config.on_cpu and headers.has_array(code)
   local tensor_name, storage_name = 'torch.' .. name .. 'Tensor', 'torch.' .. name .. 'Storage'
   local mt, st = tensor.metatables[tensor_name], tensor.metatables[storage_name]

   local function construct(...)
      local first, second = ...
      local n = own and small(...)
      if n then
         local u, h = headers.fresh(code, n)
         if second then
            h.dims, h.size[0], h.size[1], h.stride[0], h.stride[1] = 2, first, second, second, 1
         end
         return u
      end
      if plain(first) then return from_table(code, first) end
      -- the original looks no further than a tensor, so x:new(3) is x:new()
      if first ~= nil and getmetatable(first) == mt then return new_tensor(code, first) end
      return new_tensor(code, ...)
   end
   local function construct_storage(...)
      local first = ...
      if plain(first) then
         if #first == 0 then return new_storage(code, 0) end
         return from_table(code, first, true):storage()
      end
      return new_storage(code, ...)
   end
   for key, pair in next, {[tensor_name] = {mt, construct}, [storage_name] = {st, construct_storage}} do
      local metatable, f = pair[1], pair[2]
      class.registered[key] = metatable
      rawset(metatable, 'new', f)
      local constructor = class.constructor_table(metatable, f)
      class.constructors[key] = constructor
      torch[string.sub(key, 7)] = constructor
   end
end

for _, t in ipairs(config.types) do publish(t) end

local function set_default(name)
   torch.Tensor = class.constructors['torch.' .. name .. 'Tensor']
   torch.Storage = class.constructors['torch.' .. name .. 'Storage']
end
set_default(config.default)

function torch.setdefaulttensortype(name)
   local stem = type(name) == 'string' and string.match(name, '^torch%.(%a+)Tensor$')
   if not stem or not class.constructors[name] then fail("'%s' is not a tensor type", tostring(name)) end
   core.raw(host.setting, 'default_type', stem)
   set_default(stem)
end

function torch.getdefaulttensortype()
   return 'torch.' .. core.raw(host.setting, 'default_type') .. 'Tensor'
end

-- The bytes of an element, which needs no object: torch.FloatStorage.elementSize().
local function set_element_size(t)
   local size = t[4]
   local function element_size() return size end
   rawset(tensor.metatables['torch.' .. t[1] .. 'Tensor'], 'elementSize', element_size)
   rawset(tensor.metatables['torch.' .. t[1] .. 'Storage'], 'elementSize', element_size)
end

---------------------------------------------------------------------------------------------------------
-- Types that come later

-- Make a type known whose tensors and storages have the methods of those of another, {name, code, C type, bytes}.
function core.add_type(t, like)
   tensor.declare(t)
   publish(t)
   for _, suffix in next, {'Tensor', 'Storage'} do
      local mt, model = tensor.metatables['torch.' .. t[1] .. suffix], tensor.metatables['torch.' .. like .. suffix]
      for key, value in next, model do
         if rawget(mt, key) == nil then rawset(mt, key, value) end
      end
   end
   local mt = tensor.metatables['torch.' .. t[1] .. 'Tensor']
   for key, value in next, tensor.fast[mt] or {} do rawset(mt, key, value) end
   set_element_size(t)
end

---------------------------------------------------------------------------------------------------------
-- Operations

for _, entry in ipairs(config.operations) do
   local name, is_method = entry[1], entry[2]
   local storage_method = string.match(name, '^Storage%.(.*)$')
   if storage_method then
      local f = tensor.method(name)
      for _, t in ipairs(config.types) do
         rawset(tensor.metatables['torch.' .. t[1] .. 'Storage'], storage_method, f)
      end
   elseif string.sub(name, 1, 2) ~= '__' and not string.find(name, '.', 1, true) then
      torch[name] = loops.func(name, tensor.func(name))
      if is_method then
         local f = tensor.method(name)
         for _, t in ipairs(config.types) do
            local mt = tensor.metatables['torch.' .. t[1] .. 'Tensor']
            local method = tensor.fast[mt] and tensor.fast[mt][name] or f
            rawset(mt, name, loops.method(name, method, mt))
         end
      end
   end
end

for _, t in ipairs(config.types) do set_element_size(t) end

---------------------------------------------------------------------------------------------------------
-- Operators: as for any class, what a type does is under a name of its own (`__add__`), which a script may replace

local function getting(get)
   return function(x, key)
      local value = get(x, key)
      return value, value ~= nil
   end
end

local function setting(set)
   return function(x, key, value)
      set(x, key, value)
      return true
   end
end

for _, mt in next, tensor.metatables do
   for operator in next, {add = 1, sub = 1, mul = 1, div = 1, mod = 1, pow = 1, unm = 1, len = 1} do
      local plain_name = '__' .. operator
      if mt[plain_name] then
         rawset(mt, plain_name .. '__', mt[plain_name])
         mt[plain_name] = class.operators[plain_name]
      end
   end
   rawset(mt, '__tostring__', mt.__tostring)
   rawset(mt, '__index__', getting(mt.__index))
   rawset(mt, '__newindex__', setting(mt.__newindex))
end

---------------------------------------------------------------------------------------------------------
-- Classes and types

-- A function that gives what another does, and no value where that gives nil.
local function or_none(f)
   return function(x)
      local value = f(x)
      if value ~= nil then return value end
   end
end

torch.class = class.define
torch.newmetatable = class.new_metatable
torch.typename = or_none(class.typename)
torch.type = class.type
torch.isTypeOf = class.is_type_of
torch.getmetatable = or_none(class.lookup)
torch.setmetatable = module.watching(class.set_metatable)
torch.factory = class.factory
torch.isequal = class.is_equal
torch.getconstructortable = or_none(function(name) return class.constructors[name] end)

function torch.isTensor(x)
   local handle = x ~= nil and handle_of[x]
   return handle ~= nil and handle ~= false and handle % 32 < 8
end

function torch.isStorage(x)
   local handle = x ~= nil and handle_of[x]
   return handle ~= nil and handle ~= false and handle % 32 >= 8 and handle % 32 < 16
end

function torch.pointer(x)
   local handle = x ~= nil and handle_of[x]
   if handle then
      if handle % 32 < 16 then return core.raw(host.pointer, handle) end
      return handle
   end
   if ffi and type(x) == 'cdata' then      -- a pointer of C is where it points to
      local ok, address = pcall(ffi.cast, 'intptr_t', x)
      if ok then return tonumber(address) end
   end
   -- what a metatable says of the text of its objects is not asked for
   local mt = debug.getmetatable(x)
   local text = type(mt) == 'table' and rawget(mt, '__tostring')
   if text then rawset(mt, '__tostring', nil) end
   local address = string.match(tostring(x), '0x(%x+)')
   if text then rawset(mt, '__tostring', text) end
   if not address then fail('torch.pointer: a %s has no address', type(x)) end
   return tonumber(address, 16)
end

---------------------------------------------------------------------------------------------------------
-- The rest of the original's utilities

local STREAMS = {[io.stdin] = 0, [io.stdout] = 1, [io.stderr] = 2}

function torch.isatty(file)
   if io.type(file) == nil then fail('torch.isatty: a file expected, got %s', type(file)) end
   local number = STREAMS[file]
   return number ~= nil and core.raw(host.isatty, number)
end

function torch.version(object)
   local mt = getmetatable(object)
   return type(mt) == 'table' and rawget(mt, '__version') or nil
end

torch.getenv, torch.setenv = debug.getfenv, debug.setfenv

-- Memory is watched by the runtime itself, errors need no C handlers, and nothing is local to a thread.
function torch.setheaptracking(flag)
   if type(flag) ~= 'boolean' then fail('torch.setheaptracking expects a boolean, not a %s', type(flag)) end
   torch._heaptracking = flag
end
function torch.updateerrorhandlers() end
function torch.updatethreadlocals() end

function torch.pushudata() fail("torch.pushudata: there are no C structures of Torch7's here") end
function torch.metatype() fail("torch.metatype: there are no C structures of Torch7's here") end

-- The folder of a package's Lua files, found as require finds them.
function torch.packageLuaPath(name)
   for pattern in string.gmatch(package.path, '[^;]+') do
      local path = string.gsub(pattern, '%?', name or 'torch')
      local file = io.open(path)
      if file then
         file:close()
         return string.match(path, '(.*)[/\\]')
      end
   end
end

function torch.include(name, file)
   local folder = torch.packageLuaPath(name)
   if not folder then fail("torch.include: there is no package '%s' in package.path", tostring(name)) end
   return dofile(folder .. '/' .. file)
end

return torch
