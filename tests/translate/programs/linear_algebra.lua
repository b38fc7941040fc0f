-- What matrices are taken apart into, in every form of the arguments
torch.manualSeed(4)

local function near(a, b) return (a - b):abs():max() < 1e-10 end

local a = torch.randn(3, 3)
local m = a * a:t() + torch.eye(3)
local b = torch.randn(3, 2)

local u = torch.potrf(m)
local l = torch.potrf(m, 'L')
print(near(u:t() * u, m), near(l * l:t(), m), near(torch.potri(u) * m, torch.eye(3)))
print(near(m * torch.potrs(b, u), b), near(torch.potri(l, 'L') * m, torch.eye(3)), near(m * torch.potrs(b, l, 'L'), b))

local upper = torch.triu(a) + torch.eye(3) * 3
local lower = torch.tril(a, -1)
print(near(upper * torch.trtrs(b, upper), b))
print(near(upper:t() * torch.trtrs(b, upper, 'U', 'T'), b))
print(near((lower + torch.eye(3)) * torch.trtrs(b, lower, 'L', 'N', 'U'), b))

print(torch.eig(m):size(), torch.eig(m):select(2, 2):abs():max() < 1e-12, torch.inverse(m):trace())
print(torch.cross(a[1], a[2]), torch.cross(a, m, 2))
print(torch.cumsum(a[1]), torch.renorm(a, 2, 1, 0.5):norm())
