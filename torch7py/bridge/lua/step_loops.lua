-- Loops over planes of numbers for one function of one or two of them.
--
-- Loaded anew for each function, so that each has loops of its own, which LuaJIT compiles for this function alone.
--
-- Arguments: read (a pointer's number at a place), f, how many operands it has.
-- Result: g(pointers by slot, arguments) -> the loop. Arguments: the slots of the result and the operands, rows, columns, the
-- steps from row to row and from column to column for each of them, two more for f.

local read, f, operands = ...

if operands == 1 then
   return function(p, a)
      local to, from, rows, columns, oi, oj, xi, xj, u, v = unpack(a, 1, 10)
      return function()
         local o, x = p[to], p[from]
         for r = 0, rows - 1 do
            local at, its = r * oi, r * xi
            for c = 0, columns - 1 do o[at + c * oj] = f(read(x, its + c * xj), u, v) end
         end
      end
   end
end

return function(p, a)
   local to, first, second, rows, columns, oi, oj, xi, xj, yi, yj, u, v = unpack(a, 1, 13)
   return function()
      local o, x, y = p[to], p[first], p[second]
      for r = 0, rows - 1 do
         local at, its, others = r * oi, r * xi, r * yi
         for c = 0, columns - 1 do
            o[at + c * oj] = f(read(x, its + c * xj), read(y, others + c * yj), u, v)
         end
      end
   end
end
