-- vector: lists that grow, kept in storages: of numbers (vector.tensor), tensors (vector.atomic) and strings
-- (vector.string). They are written to files, and may be elements of tds.Hash and tds.Vec.
--
-- Arguments: core {fail, storable}, host, vector.

local core, _, vector = ...
local fail = core.fail
local torch, type, rawget, rawset, setmetatable = torch, type, rawget, rawset, setmetatable
local max, min, format = math.max, math.min, string.format

local TYPES = {'Char', 'Byte', 'Short', 'Int', 'Long', 'Float', 'Double'}

-- A class whose objects are tables of storages; `fresh` makes one's fields, `length` and `get` read it.
local function define(name, fresh, length, get)
   local class
   local function make(...) return setmetatable(fresh(...), class) end
   class = torch.newmetatable(name, nil, nil, nil, function() return make() end, {})
   core.storable[name] = true
   rawset(class, '__version', 0)
   rawset(class, '__new', make)
   rawset(class, '__len', length)
   rawset(class, '__tostring', function() return name end)
   rawset(class, '__index', function(self, key)
      if type(key) == 'string' then return rawget(class, key) end
      if type(key) ~= 'number' or key <= 0 or key > length(self) then fail('index out of bounds') end
      return get(self, key)
   end)
   rawset(class, '__pairs', function(self)
      local at = 0
      return function()
         at = at + 1
         if at <= length(self) then return at, get(self, at) end
      end
   end)
   rawset(class, 'compress', function(self) self:resize(length(self)) end)
   return class, make
end

-- At least `size` elements, twice as many as needed.
local function make_room(storage, size)
   if size > storage:size() then storage:resize(2 * size) end
end

local function count_of(size)
   if type(size) ~= 'number' or size < 0 then fail('a size of 0 or more expected') end
   return size
end

---------------------------------------------------------------------------------------------------------
-- Numbers, one after the other

local NOT_OF_TENSORS = {resize = true, resizeAs = true, reshape = true}

local function define_numbers(kind)
   local Tensor, Storage, full_name = torch[kind .. 'Tensor'], torch[kind .. 'Storage'], format('torch.%sTensor', kind)
   local function length(self) return self.size[1] end
   local class, make = define(kind .. 'Vector', function(capacity)
      return {storage = Storage(capacity or 1), size = torch.LongStorage {0}}
   end, length, function(self, key) return self.storage[key] end)

   rawset(class, '__newindex', function(self, key, value)
      if type(key) ~= 'number' then fail('a vector has no fields') end
      if key <= 0 then fail('index out of bounds') end
      if not value then fail('removal not supported') end
      make_room(self.storage, key)
      self.storage[key] = value
      self.size[1] = max(length(self), key)
   end)

   -- The tensor loses its shape, as in the original.
   rawset(class, 'insertTensor', function(self, key, tensor)
      if not tensor then key, tensor = length(self) + 1, key end
      if type(key) ~= 'number' or torch.typename(tensor) ~= full_name then
         fail('[index] and %s expected', full_name)
      end
      tensor:resize(tensor:nElement())
      local last = key + tensor:nElement() - 1
      make_room(self.storage, last)
      Tensor(self.storage):narrow(1, key, tensor:nElement()):copy(tensor)
      self.size[1] = max(length(self), last)
   end)

   rawset(class, 'resize', function(self, size)
      self.storage:resize(count_of(size))
      self.size[1] = min(length(self), size)
   end)

   rawset(class, 'getStorage', function(self)
      self:compress()
      return self.storage
   end)
   rawset(class, 'getTensor', function(self) return Tensor(self:getStorage()) end)

   rawset(class, '__write', function(self, file)
      self:compress()
      file:writeLong(length(self))
      file:writeObject(self.storage)
   end)
   rawset(class, '__read', function(self, file)
      self.size[1] = file:readLong()
      self.storage:resize(length(self)):copy(file:readObject())
   end)

   -- a tensor's methods, on all numbers
   for name in pairs(torch.getmetatable(full_name)) do
      if name:sub(1, 1) ~= '_' and not NOT_OF_TENSORS[name] and rawget(class, name) == nil then
         rawset(class, name, function(self, ...)
            local tensor = self:getTensor()
            return tensor[name](tensor, ...)
         end)
      end
   end
   return make
end

---------------------------------------------------------------------------------------------------------
-- Consecutive pieces of a storage: ends[i] is where the i-th begins

local function check_next(key, value, length)
   if key ~= length + 1 then fail('only sequential writing') end
   if not value then fail('removal not supported') end
end

local function define_tensors(kind)
   local Tensor, Storage, full_name = torch[kind .. 'Tensor'], torch[kind .. 'Storage'], format('torch.%sTensor', kind)
   local function length(self) return self.numElements[1] end
   local class, make = define(kind .. 'AtomicVector', function()
      return {content = Storage(1), pointers = torch.LongStorage {1}, sizes = torch.LongStorage(1),
              sizeIndex = torch.LongStorage {1}, numElements = torch.LongStorage {0}}
   end, length, function(self, key)
      local first, last = self.sizeIndex[key], self.sizeIndex[key + 1] - 1
      if last < first or self.pointers[key] == self.pointers[key + 1] then return Tensor() end
      local sizes = torch.LongStorage(last - first + 1)
      for i = first, last do sizes[i - first + 1] = self.sizes[i] end
      return Tensor(self.content, self.pointers[key], sizes)
   end)

   rawset(class, '__newindex', function(self, key, value)
      check_next(key, value, length(self))
      if torch.typename(value) ~= full_name then fail('can only insert %sTensor elements', kind) end
      local start, first = self.pointers[key], self.sizeIndex[key]
      make_room(self.pointers, key + 1)
      make_room(self.sizeIndex, key + 1)
      self.pointers[key + 1] = start + value:nElement()
      self.sizeIndex[key + 1] = first + value:dim()
      if value:nElement() > 0 then
         make_room(self.content, self.pointers[key + 1] - 1)
         make_room(self.sizes, self.sizeIndex[key + 1] - 1)
         Tensor(self.content):narrow(1, start, value:nElement()):copy(value)
         for i = 1, value:dim() do self.sizes[first + i - 1] = value:size(i) end
      end
      self.numElements[1] = key
   end)

   rawset(class, 'len', length)
   rawset(class, 'resize', function(self, size)
      local n = min(length(self), count_of(size))
      self.numElements[1] = n
      self.pointers:resize(n + 1)
      self.sizeIndex:resize(n + 1)
      self.sizes:resize(self.sizeIndex[n + 1] - 1)
      self.content:resize(self.pointers[n + 1] - 1)
   end)

   rawset(class, '__write', function(self, file)
      self:compress()
      file:writeLong(length(self))
      for _, part in ipairs {'sizeIndex', 'sizes', 'pointers', 'content'} do file:writeObject(self[part]) end
   end)
   rawset(class, '__read', function(self, file)
      self.numElements[1] = file:readLong()
      for _, part in ipairs {'sizeIndex', 'sizes', 'pointers', 'content'} do self[part] = file:readObject() end
   end)
   return make
end

local function define_strings()
   local function length(self) return self.numPointers[1] end
   local class, make = define('StringVector', function()
      return {content = torch.CharStorage(1), pointers = torch.LongStorage {1}, contentSize = torch.LongStorage {0},
              numPointers = torch.LongStorage {0}}
   end, length, function(self, key)
      local start, stop = self.pointers[key], self.pointers[key + 1]
      if start == stop then return '' end
      return torch.CharTensor(self.content):narrow(1, start, stop - start):clone():storage():string()
   end)

   rawset(class, '__newindex', function(self, key, value)
      check_next(key, value, length(self))
      if type(value) ~= 'string' then fail('can only insert strings') end
      local start = self.pointers[key]
      make_room(self.pointers, key + 1)
      self.pointers[key + 1] = start + #value
      if #value > 0 then
         make_room(self.content, start + #value - 1)
         local bytes = torch.CharTensor(torch.CharStorage():string(value))
         torch.CharTensor(self.content):narrow(1, start, #value):copy(bytes)
      end
      self.numPointers[1], self.contentSize[1] = key, start + #value - 1
   end)

   rawset(class, 'len', length)
   rawset(class, 'resize', function(self, size)
      local n = min(length(self), count_of(size))
      self.numPointers[1], self.contentSize[1] = n, self.pointers[n + 1] - 1
      self.content:resize(self.contentSize[1])
      self.pointers:resize(n + 1)
   end)

   rawset(class, '__write', function(self, file)
      self:compress()
      file:writeLong(length(self))
      file:writeLong(self.contentSize[1])
      file:writeObject(self.pointers)
      file:writeObject(self.content)
   end)
   rawset(class, '__read', function(self, file)
      self.numPointers[1], self.contentSize[1] = file:readLong(), file:readLong()
      self.pointers, self.content = file:readObject(), file:readObject()
   end)
   return make
end

vector.tensor, vector.atomic, vector.string = {}, {}, {new = define_strings()}
for _, kind in ipairs(TYPES) do
   vector.tensor['new_' .. kind:lower()] = define_numbers(kind)
   vector.atomic['new_' .. kind:lower()] = define_tensors(kind)
end
