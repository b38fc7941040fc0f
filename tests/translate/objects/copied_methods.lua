-- Objects that get the functions of a table copied, one of which takes no object.
require 'torch'
local counter = {}
function counter.new(start, opt_)
   opt_ = opt_ or {}
   local self = {}
   for k, v in pairs(counter) do
      self[k] = v
   end
   self.n = start
   self.step = opt_.step or 1
   return self
end
function counter.next(x, y) return x + y end
function counter:count(times)
   for i = 1, times do self.n = self.next(self.n, self.step) end
   return self.n
end
local a = counter.new(3)
local b = counter.new(5, {step = 2})
print(a:count(2), b:count(3), a.n, b.n)
