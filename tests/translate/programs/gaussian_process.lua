-- Gaussian process regression with an RBF kernel
torch.manualSeed(11)

local function rbf(a, b, length, variance)
   local n, m = a:size(1), b:size(1)
   local k = torch.Tensor(n, m)
   for i = 1, n do
      for j = 1, m do
         local d = a[i] - b[j]
         k[i][j] = variance * math.exp(-d * d / (2 * length * length))
      end
   end
   return k
end

local x = torch.linspace(-3, 3, 12)
local y = torch.sin(x):add(torch.randn(12):mul(0.05))
local noise = 0.05 ^ 2

local function fit(length, variance)
   local K = rbf(x, x, length, variance)
   K:add(torch.eye(x:size(1)) * noise)
   local L = torch.potrf(K, 'L')
   local alpha = torch.potrs(y:view(-1, 1), L, 'L')
   local logdet = 2 * torch.log(torch.diag(L)):sum()
   local ll = -0.5 * torch.dot(y, alpha) - 0.5 * logdet - 0.5 * x:size(1) * math.log(2 * math.pi)
   return L, alpha, ll
end

local best = {ll = -math.huge}
for _, length in ipairs{0.3, 0.7, 1, 1.5, 3} do
   for _, variance in ipairs{0.5, 1, 2} do
      local L, alpha, ll = fit(length, variance)
      if ll > best.ll then
         best = {ll = ll, length = length, variance = variance, L = L, alpha = alpha}
      end
   end
end
print(('best: length %.1f, variance %.1f, log likelihood %.6f'):format(best.length, best.variance, best.ll))

local test = torch.Tensor{-2.5, 0.1, 1.7, 4}
local Ks = rbf(test, x, best.length, best.variance)
local mean = Ks * best.alpha
local v = torch.trtrs(Ks:t(), best.L, 'L', 'N')
local var = torch.Tensor(test:size(1)):fill(best.variance) - torch.pow(v, 2):sum(1):squeeze()
for i = 1, test:size(1) do
   print(string.format('f(%5.2f) = %8.5f +- %.5f   sin: %8.5f', test[i], mean[i][1], 2 * math.sqrt(var[i]), math.sin(test[i])))
end
local X = torch.gesv(torch.eye(12), rbf(x, x, 1, 1):add(torch.eye(12)))
print(X:trace())
