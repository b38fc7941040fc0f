-- pl.permute: permutations of a list, and the products of several lists.
--
-- Arguments: core, host, permute. The packages pl.utils and pl.tablex are loaded before.

local _, _, permute = ...
local utils, tablex = require 'pl.utils', require 'pl.tablex'
local yield = coroutine.yield

-- permute.order_iter(list): over its permutations, which are one list that is changed in place and restored at the end.
function permute.order_iter(list)
   utils.assert_arg(1, list, 'table')
   local function orders(n)
      if n == 0 then return yield(list) end
      for i = 1, n do
         list[n], list[i] = list[i], list[n]
         orders(n - 1)
         list[n], list[i] = list[i], list[n]
      end
   end
   return coroutine.wrap(function()
      if #list > 0 then orders(#list) end
      while true do yield() end
   end)
end
permute.iter = permute.order_iter

function permute.order_table(list)
   local all = {}
   for order in permute.order_iter(list) do table.insert(all, tablex.deepcopy(order)) end
   return all
end
permute.table = permute.order_table

-- permute.list_iter(list, ...): a number and an item of each list, those of the first list change first. A list's field
-- n says how long it is, where it has nils.
function permute.list_iter(...)
   local lists, sizes, total = {...}, {}, 1
   for i, list in ipairs(lists) do
      utils.assert_arg(i, list, 'table')
      sizes[i] = list.n or #list
      total = total * (i == #lists and sizes[i] or math.max(sizes[i], 1))
   end
   local count = 0
   return function()
      if count >= total then return nil end
      local items, rest = {}, count
      for i, list in ipairs(lists) do
         local size = math.max(sizes[i], 1)
         items[i] = list[rest % size + 1]
         rest = math.floor(rest / size)
      end
      count = count + 1
      return count, unpack(items, 1, #lists)
   end
end

function permute.list_table(...)
   local all, n = {}, select('#', ...)
   local next_one = permute.list_iter(...)
   local items = {next_one()}
   while items[1] do
      all[items[1]] = utils.pack(unpack(items, 2, n + 1))
      items = {next_one()}
   end
   return all
end
