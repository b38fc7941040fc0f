-- Functions among the values of a table, pieces of a tensor of which one is dropped
local function f(x) return x + 1 end
local function g(x) return x * 2 end
for _, problem in ipairs{{'a', f}, {'b', g}} do
  local name, h = unpack(problem)
  print(name, h(3))
end
local t = torch.range(1, 10):split(3)
t[#t] = nil
for i, v in ipairs(t) do print(i, v:sum()) end
