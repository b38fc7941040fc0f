-- Several results of a call put into lists that grow
local function two(i) return i, i * 2 end
local a, b = {}, {}
for i = 1, 3 do a[i], b[i] = two(i) end
print(a[3], b[3])
local c, d = {}, {}
local t = {{1, 2}, {3, 4}}
for i = 1, 2 do c[i], d[i] = unpack(t[i]) end
print(c[2], d[1])
local x = torch.Tensor{3, 1, 2}
local v, p = {}, {}
for i = 1, 2 do v[i], p[i] = torch.max(x, 1) end
print(v[2][1], p[1][1])
local keys, values = {}, {}
for i, pair in ipairs(t) do keys[#keys + 1], values[#values + 1] = pair[1], pair[2] end
print(#keys, values[2])
