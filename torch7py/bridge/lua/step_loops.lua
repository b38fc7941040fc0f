-- A loop over planes of numbers for one function of one or two of them.
--
-- Loaded anew for each function, so that each has a loop of its own, which LuaJIT compiles for this function alone.
--
-- Arguments: read (a pointer's number at a place), f, how many operands it has.
-- Result: g(pointers by slot, arguments) -> the loop. Arguments: the slots of the result and the operands, rows, columns, the
-- steps from row to row and from column to column for each of them, two more for f.

local read, f, operands = ...

return function(p, a)
   local to, first = a[1], a[2]
   local second, rows, columns, oi, oj, xi, xj, yi, yj, u, v = unpack(a, 3, 13)
   if operands == 1 then
      rows, columns, oi, oj, xi, xj, u, v = unpack(a, 3, 10)
      return function()
         local o, x = p[to], p[first]
         for r = 0, rows - 1 do
            for c = 0, columns - 1 do o[r * oi + c * oj] = f(read(x, r * xi + c * xj), u, v) end
         end
      end
   end
   return function()
      local o, x, y = p[to], p[first], p[second]
      for r = 0, rows - 1 do
         for c = 0, columns - 1 do o[r * oi + c * oj] = f(read(x, r * xi + c * xj), read(y, r * yi + c * yj), u, v) end
      end
   end
end
