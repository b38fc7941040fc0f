-- Tables of a few values of different kinds: by place, unpacked, changed, handed to functions
local corpus = {{"a b", 1}, {"b c", 2}}
for _, p in ipairs(corpus) do
  for w in p[1]:gmatch('%S+') do print(w, p[2] + 1) end
  print(p[1]:upper())
end
local memory = {}
for i = 1, 3 do
   local state, reward = torch.Tensor(2):fill(i), i * 0.5
   table.insert(memory, {state, reward, i == 3, 'step ' .. i})
end
local function total(entry)
   local s, r, done, name = unpack(entry)
   if done then return name:rep(2), 0 end
   return name, s:sum() + r
end
for i = 1, #memory do
   local name, sum = total(memory[i])
   print(#name, sum)
   memory[i][1]:mul(2)
   memory[i][2] = memory[i][2] + 1
end
print(memory[2][1]:sum() + memory[3][2])
