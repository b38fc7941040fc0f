-- The methods are in one table, the metatable with the operators is another.
local Queue = {}
local mt = {
   __index = Queue,
   __len = function(q) return q.last - q.first + 1 end,
}

-- what print shows of it
mt.__tostring = function(queue) return 'queue of ' .. queue.last - queue.first + 1 end

function Queue.new(label)
   local self = {label = label, first = 1, last = 0, items = {}}
   return setmetatable(self, mt)
end

function Queue:push(value)
   self.last = self.last + 1
   self.items[self.last] = value
   return self
end

function Queue:pop()
   local value = self.items[self.first]
   self.first = self.first + 1
   return value
end

-- a metatable whose methods are named later
local Stamp = {}
local stamped = {}
stamped.__index = Stamp
stamped.__eq = function(a, b) return a.day == b.day end
function Stamp:late() return self.day > 3 end
local function stamp(day) return setmetatable({day = day}, stamped) end

local queue = Queue.new('jobs')
queue:push(4):push(5):push(6)
print(queue:pop(), tostring(queue), queue.label)
print(stamp(2) == stamp(2), stamp(2) == stamp(4), stamp(4):late())
