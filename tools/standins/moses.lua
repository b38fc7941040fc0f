-- What upstream's test files use of the moses library, which is not part of Torch7.

local moses = {}

-- A function gets key and value, in this order.
function moses.map(t, f, ...)
   local made = {}
   for key, value in pairs(t) do made[key] = f(key, value, ...) end
   return made
end

function moses.clone(t)
   local made = {}
   for key, value in pairs(t) do made[key] = value end
   return made
end

function moses.keys(t)
   local made = {}
   for key in pairs(t) do made[#made + 1] = key end
   return made
end

function moses.values(t)
   local made = {}
   for _, value in pairs(t) do made[#made + 1] = value end
   return made
end

function moses.size(t)
   if type(t) ~= 'table' then return 0 end
   return #moses.keys(t)
end

function moses.slice(t, first, last)
   local made = {}
   for i = first or 1, last or #t do made[#made + 1] = t[i] end
   return made
end

function moses.first(t, n) return moses.slice(t, 1, n or 1) end
function moses.last(t, n) return moses.slice(t, #t - (n or 1) + 1) end

function moses.reverse(t)
   local made = {}
   for i = #t, 1, -1 do made[#made + 1] = t[i] end
   return made
end

-- The values that are neither nil nor false, in the order of their keys.
function moses.compact(t)
   local keys, made = moses.keys(t), {}
   table.sort(keys)
   for _, key in ipairs(keys) do
      if t[key] then made[#made + 1] = t[key] end
   end
   return made
end

function moses.sort(t, before)
   table.sort(t, before)
   return t
end

function moses.isNaN(x) return type(x) == 'number' and x ~= x end
function moses.isFinite(x) return type(x) == 'number' and x > -math.huge and x < math.huge end

return moses
