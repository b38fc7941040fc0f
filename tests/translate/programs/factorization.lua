-- matrix factorization with manual gradients, and k nearest neighbours; no nn
torch.setdefaulttensortype('torch.DoubleTensor')
torch.manualSeed(31)
local users, items, k = 8, 6, 2
local R = torch.rand(users, items):mul(5):floor()
local mask = torch.gt(torch.rand(users, items), 0.3)
local U, V = torch.randn(users, k) * 0.1, torch.randn(items, k) * 0.1
local lr, reg = 0.05, 0.02
for it = 1, 30 do
  local err = 0
  for u = 1, users do
    for i = 1, items do
      if mask[u][i] == 1 then
        local e = R[u][i] - U[u] * V[i]
        local uu = U[u]:clone()
        U[u]:add(lr, V[i] * e - U[u] * reg)
        V[i]:add(lr * e, uu):add(-lr * reg, V[i])
        err = err + e ^ 2
      end
    end
  end
  if it % 10 == 0 then print(it, string.format('%.6f', math.sqrt(err / mask:sum()))) end
end
local function distance(a, b) return torch.dist(a, b) end
local function nearest(m, row, n)
  local d = {}
  for i = 1, m:size(1) do
    if i ~= row then d[#d + 1] = {i, distance(m[i], m[row])} end
  end
  table.sort(d, function(a, b) return a[2] < b[2] end)
  local t = {}
  for i = 1, n do t[i] = d[i][1] end
  return t
end
print(table.concat(nearest(U, 1, 3), ' '))
local pred = U * V:t()
print(pred:size(1), pred:size(2), string.format('%.5f', (pred - R):abs():cmul(mask:double()):sum()))
local cov = (U:t() * U):div(users)
local e, vec = torch.symeig(cov, 'V')
print(string.format('%.6f %.6f', e[1], e[2]))
local inv = torch.inverse(cov + torch.eye(k))
print(string.format('%.6f', inv:trace()))
local hist = torch.histc(pred, 4, 0, 5)
print(hist[1] + hist[2] + hist[3] + hist[4] <= 48)
