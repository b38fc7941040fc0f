-- A class that is called, and operators on its objects.
local Money = {}
Money.__index = Money
setmetatable(Money, {__call = function(class, cents, unit)
   local m = setmetatable({}, class)
   m.cents = cents
   m.unit = unit or 'EUR'
   return m
end})
Money.__add = function(a, b) return Money(a.cents + b.cents, a.unit) end
Money.__mul = function(a, b)
   if type(a) == 'number' then return Money(a * b.cents, b.unit) end
   return Money(a.cents * b, a.unit)
end
Money.__unm = function(a) return Money(-a.cents, a.unit) end
Money.__eq = function(a, b) return a.cents == b.cents and a.unit == b.unit end
Money.__lt = function(a, b) return a.cents < b.cents end
Money.__le = function(a, b) return a.cents <= b.cents end
Money.__tostring = function(m) return m.cents .. ' ' .. m.unit end

local coin, note = Money(50), Money(500, 'EUR')
print(tostring(coin + note), tostring(3 * coin), tostring(note * 2), tostring(-coin))
print(coin == Money(50), coin ~= note, coin < note, coin >= note)
