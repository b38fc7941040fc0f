-- Convolutions of matrices, valid and full; texts within texts
torch.manualSeed(3)
local x, k = torch.rand(5, 6), torch.rand(2, 3)
for _, form in ipairs {'V', 'F'} do print(form) end
local a, b, c, d = torch.conv2(x, k), torch.conv2(x, k, 'F'), torch.xcorr2(x, k, 'V'), torch.xcorr2(x, k, 'F')
print(a:sum(), a:size(1), a:size(2), a[1][2])
print(b:sum(), b:size(1), b:size(2), b[1][2], b[6][8])
print(c:sum(), c:size(1), c:size(2), c[1][2])
print(d:sum(), d:size(1), d:size(2), d[1][2], d[6][8])
for i = 1, 3 do io.write(i, i < 3 and ' "' or "'\n") end
print(string.format('%s: %d', ("it's " .. '"'):rep(2), #'a\\b'))
