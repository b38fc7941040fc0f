local permute = require 'pl.permute'
for n = 0, 4 do show(permute.order_table {unpack({'a', 'b', 'c', 'd'}, 1, n)}) end
local list = {1, 2, 3}
local next_order = permute.order_iter(list)
show(next_order() == list, next_order(), next_order())
for order in permute.iter(list) do io.write(table.concat(order), ' ') end
show(list)
show(#permute.table {1, 2, 3, 4, 5})
for i, a, b in permute.list_iter({'x', n = 3}, {true, false}) do show(i, a, b) end
show(permute.list_table({1, 2}, {'a'}, {3, 4}))
show(permute.list_table {1, 2})
show(permute.list_table({1, 2}, {}), permute.list_table({}, {1, 2}))
local orders = permute.order_iter {1}
show(orders(), orders(), orders())
failure(permute.order_iter, 3)
failure(permute.list_iter, {}, 3)
