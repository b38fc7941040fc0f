-- Parts of lists by unpack with a first and a last place.
local t = {4, 5, 6, 7}
local function part(list, first, last) return {unpack(list, first, last)} end
print(#part(t, 2, 3), part(t, 2, 3)[2], #part(t, 3, 9))
local a, b = unpack(t, 3)
print(a, b, math.max(unpack(t, 2)))
print(unpack(t, 2))
local size, batches = 2, {}
for i = 1, #t / size do table.insert(batches, {unpack(t, (i - 1) * size + 1, i * size)}) end
for _, batch in ipairs(batches) do print(#batch, table.concat(batch, ' ')) end
local more = {1, unpack(t, 2, 3)}
print(table.concat(more, ' '))
part(t, 1, 4)[1] = 9
print(t[1])
