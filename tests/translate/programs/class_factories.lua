-- a ring buffer of fixed size, made in several ways
local Ring = {}
Ring.__index = Ring
Ring.largest = 64

-- An empty one.
function Ring.new(size)
   local ring = {
      size = size,   -- how many it holds
      items = {},
   }
   return setmetatable(ring, Ring)
end

-- One that holds what a list has.
function Ring.from(list, size)
   local ring = Ring.new(size or #list)
   for _, item in ipairs(list) do ring:push(item) end
   return ring
end

function Ring.parse(text)
   if text == '' then return nil end
   local ring = {size = 0, items = {}}
   setmetatable(ring, Ring)
   for number in text:gmatch('%d+') do
      ring.size = ring.size + 1
      ring:push(tonumber(number))
   end
   ring.label = text
   return ring
end

function Ring:push(item)
   if #self.items == self.size then table.remove(self.items, 1) end
   table.insert(self.items, item)
end

function Ring:sum()
   local total = 0
   for _, item in ipairs(self.items) do total = total + item end
   return total
end

function Ring:name() return self.label or 'ring of ' .. self.size end

-- Models that know how to make themselves.
local Model = {}
Model.__index = Model

function Model:describe() return 'a model of ' .. self.kind .. ' with ' .. self.width end

function Model:default_width() return 4 end

function Model:create(options)
   local model = {}
   setmetatable(model, {__index = self})
   model.width = options.width or self:default_width()
   model.kind = 'nothing'
   if options.restore then
      model = self:restore(options)
   end
   return model
end

function Model:restore(options)
   local model = setmetatable({width = options.restore, kind = 'memory'}, {__index = self})
   model:grow()
   return model
end

function Model:grow() self.width = self.width + 1 end

local Wide = setmetatable({}, {__index = Model})
Wide.__index = Wide
function Wide:describe() return 'wide: ' .. self.width .. ' ' .. self.kind end

local a = Ring.new(2)
a:push(3) a:push(4) a:push(5)
print(a:sum(), a:name(), Ring.largest)
local b = Ring.from({1, 2, 3})
print(b:sum(), b:name())
local c = Ring.parse('10, 20 and 30')
print(c:sum(), c:name(), Ring.parse('') == nil)
print(Model:create({width = 3}):describe())
print(Model:create({}):describe())
print(Wide:create({restore = 7}):describe())
local w = Wide:create({width = 2})
w:grow()
print(w:describe())
