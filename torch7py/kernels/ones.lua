-- Where a mask of n bytes of 0 and 1 has its ones, from 0, and how many: f(mask, n, places), with room for n + 1 places.
--
-- Each place is written down and kept or not, two at a time, since LuaJIT counts in floating numbers and one addition has
-- to wait for the last.

return function(mask, n, places)
   local found = 0
   for i = 0, n - 2, 2 do
      local first, second = mask[i], mask[i + 1]
      places[found] = i
      places[found + first] = i + 1
      found = found + (first + second)
   end
   if n % 2 == 1 then
      places[found] = n - 1
      found = found + mask[n - 1]
   end
   return found
end
