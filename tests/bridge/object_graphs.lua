-- What every program of object_graphs.py begins with: classes with and without ways of their own to be saved, and
-- `check`, which prints what the copies of an object are like.

require 'nn'

local COUNTS = {}
local function count(name) COUNTS[name] = (COUNTS[name] or 0) + 1 end

torch.class('graphs.Plain', {})
local Plain = torch.getmetatable('graphs.Plain')
graphs = {Plain = function() return setmetatable({}, Plain) end}

local Own = torch.class('graphs.Own', graphs)
function Own:write(file)
   count('Own:write')
   file:writeInt(7)
   file:writeObject(self.u_a)
   file:writeObject({b = self.u_b, me = self})
end
function Own:read(file)
   count('Own:read')
   self.seven = file:readInt()
   self.u_a = file:readObject()
   local rest = file:readObject()
   self.u_b, self.u_me = rest.b, rest.me
end

local Cached, cached_parent = torch.class('graphs.Cached', 'nn.Linear', graphs)
function Cached:write(file)
   count('Cached:write')
   local held = self.u_cache
   self.u_cache = nil
   cached_parent.write(self, file)
   self.u_cache = held
end
function Cached:read(file, version)
   count('Cached:read')
   cached_parent.read(self, file, version)
   self.u_cache = 'fresh'
end

local Layer, layer_parent = torch.class('graphs.Layer', 'nn.Module', graphs)
function Layer:__init()
   layer_parent.__init(self)
   self.u_rate = 0.5
end

local Bare = torch.class('graphs.Bare', 'nn.Module', graphs)      -- its parent's __init is not called
function Bare:__init()
   self.u_bare = true
   self.output, self.gradInput = torch.Tensor(), torch.Tensor()   -- which a container takes over
end

local Box, box_parent = torch.class('graphs.Box', 'nn.Container', graphs)
function Box:__init(child)
   box_parent.__init(self)
   if child then self:add(child) end
end

local Loss, loss_parent = torch.class('graphs.Loss', 'nn.Criterion', graphs)
function Loss:__init() loss_parent.__init(self) end

-- The fields of modules that are looked at: those that a script may give one, and these.
local FIELDS = {modules = true, weight = true, bias = true, gradWeight = true, gradBias = true, train = true, output = true,
                gradInput = true, criterions = true}

-- Of a clone that shares: the original leaves the parameters of modules empty that share does not reach, and tensors on
-- the same memory are one object here.
local OF_SHARING = {modules = true, weight = true, bias = true, gradWeight = true, gradBias = true}

local out, ids, nids, seen_storages, is_sharing

local function id_of(x)
   local key = torch.isTensor(x) and torch.pointer(x) or x
   local known = ids[key]
   if known then return known, true end
   nids = nids + 1
   ids[key] = nids
   return nids, false
end

local function put(...) out[#out + 1] = table.concat({...}) end

local rank = {number = 1, string = 2, boolean = 3, table = 4, userdata = 5, ['function'] = 6}
local function before(a, b)
   local x, y = rank[type(a)], rank[type(b)]
   if x ~= y then return x < y end
   if x == 3 then return a and not b end
   if x >= 4 then return false end
   return a < b
end

local describe, describe_tensor

local function entries(t, wanted)
   local keys = {}
   for key in pairs(t) do
      local own = type(key) == 'string' and key:sub(1, 2) == 'u_' and not is_sharing
      if not wanted or wanted[key] or own then keys[#keys + 1] = key end
   end
   table.sort(keys, before)
   for _, key in ipairs(keys) do
      put '['
      describe(key)
      put ']='
      if wanted and torch.isTensor(t[key]) and (key == 'weight' or key == 'bias') then
         describe_tensor(t[key])
      else
         describe(t[key])
      end
      put ','
   end
end

local function describe_storage(storage)
   if storage == nil then put '-' return end
   local key = torch.pointer(storage)
   if seen_storages[key] then put('<', seen_storages[key], '>') return end
   nids = nids + 1
   seen_storages[key] = nids
   put('<', nids, ':')
   for i = 1, storage:size() do put(('%.9g '):format(storage[i])) end
   put '>'
end

function describe_tensor(x)
   put(torch.type(x):sub(7), ' ')
   for i = 1, x:dim() do put(x:size(i), '/', x:stride(i), ' ') end
   if x:nElement() > 0 then put('@', x:storageOffset(), ' ') describe_storage(x:storage()) end
end

local function describe_function(f, known, number)
   if debug.getinfo(f, 'S').source:find('object_graphs', 1, true) == nil then put 'built-in' return end
   put('function ', number)
   if known then return end
   put '('
   for i = 1, 60 do
      local name, value = debug.getupvalue(f, i)
      if not name then break end
      put(name)
      if debug.upvalueid then put('@', (id_of(debug.upvalueid(f, i)))) end
      put '='
      describe(value)
      put ','
   end
   put ')'
end

function describe(x)
   local kind = type(x)
   if kind == 'number' then put(('%.17g'):format(x))
   elseif kind == 'string' then put(('%q'):format(x))
   elseif kind == 'nil' or kind == 'boolean' then put(tostring(x))
   elseif kind == 'function' then
      local number, known
      if debug.getinfo(x, 'S').source:find('object_graphs', 1, true) then number, known = id_of(x) end
      describe_function(x, known, number)
   elseif torch.isStorage(x) then
      put(torch.type(x):sub(7), ' ')
      describe_storage(x)
   elseif kind == 'table' or torch.isTensor(x) then
      local number, known = id_of(x)
      put('#', number)
      if known then return end
      put '{'
      if torch.isTensor(x) then
         describe_tensor(x)
      else
         local name = torch.typename(x)
         put(name or '', getmetatable(x) ~= nil and not name and 'meta' or '', ' ')
         local of_module = torch.isTypeOf(x, 'nn.Module') or torch.isTypeOf(x, 'nn.Criterion')
         entries(x, of_module and (is_sharing and OF_SHARING or FIELDS))
      end
      put '}'
   else
      put(torch.type(x))
   end
end

local function with_counts(f, ...)
   COUNTS = {}
   local ok, result = pcall(f, ...)
   local counts = {}
   for name, n in pairs(COUNTS) do counts[#counts + 1] = name .. '=' .. n end
   table.sort(counts)
   return ok, result, table.concat(counts, ' ')
end

local file = os.tmpname()
local module_write = nn.Module.write   -- which the original's clone puts another in the place of, and leaves after errors
local WAYS = {
   {'clone', function(x) return x:clone() end},
   {'sharing', function(x) return x:clone('weight', 'bias') end},
   {'binary', function(x) return torch.deserialize(torch.serialize(x)) end},
   {'ascii', function(x) return torch.deserialize(torch.serialize(x, 'ascii'), 'ascii') end},
   {'file', function(x) torch.save(file, x) return torch.load(file) end},
   {'ascii file', function(x) torch.save(file, x, 'ascii') return torch.load(file, 'ascii') end},
}

-- Print what `x` is, and its copies together with it; what is as the line before is not repeated.
function check(name, x)
   local last
   for _, way in ipairs(WAYS) do
      local label, f = way[1], way[2]
      if label == 'clone' and not (torch.isTypeOf(x, 'nn.Module') or torch.isTypeOf(x, 'nn.Criterion')) then f = nil end
      if label == 'sharing' and not torch.isTypeOf(x, 'nn.Module') then f = nil end
      if f then
         local ok, result, counts = with_counts(f, x)
         nn.Module.write = module_write
         out, ids, nids, seen_storages, is_sharing = {}, {}, 0, {}, label == 'sharing'
         if ok then
            describe({x, result})
         else
            put((tostring(result):gsub('^.-:%d+: ', ''):gsub(' at .*', ''):gsub('\n.*', '')))
         end
         local text = table.concat(out) .. ' ' .. counts
         io.write(name, ' ', label, ' ', text == last and 'same' or text, '\n')
         last = text
      end
   end
end

function zeroed(m) m:zeroGradParameters() return m end

-- Give an object a field, through everything that stands in the way; what refuses it goes without.
function set(x, key, value) pcall(function() x[key] = value end) end
function done() os.remove(file) end
