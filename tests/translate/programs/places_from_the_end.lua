-- Places that are counted from the end, by expressions too.
local order, words = torch.LongTensor{3, 1, 2}, {'a', 'b', 'c'}
for i = 1, 3 do print(words[order[-i]], order[-i]) end
local back = -2
print(order[back], order[back + 4])
local x = torch.range(1, 12):view(3, 4)
for i = 1, 2 do print(x[-i][1], x[{-i, -1}], x[{-i, i}]) end
