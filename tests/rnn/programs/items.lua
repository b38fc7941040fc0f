-- Batches of a fixed random sequence of items, and of the items that follow them.
--
-- Draws the sequence from torch's random numbers and where each row begins from Lua's: math.random is
-- LuaJIT's own, which starts alike in every process.

return function(count, rows)
   local sequence = torch.randperm(count)
   local places = {}
   for row = 1, rows do
      places[row] = math.ceil(math.random() * rows)
   end
   places = torch.LongTensor(places)

   -- a batch, and the batch one item further on
   return function()
      local x = sequence:index(1, places)
      places:add(1)
      for row = 1, rows do
         if places[row] > count then places[row] = 1 end
      end
      return x, sequence:index(1, places)
   end
end
