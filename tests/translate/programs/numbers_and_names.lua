-- Tables with numbers and names for keys.
local given = {cat = 2}
given[1] = 'dog'
local names = {}
for k, v in pairs(given) do names[k] = v end
print(#names, names.cat, names['cat'])
table.insert(names, 'bird')
table.insert(names, 'fish')
print(#names, names[2], names[3])
for k, v in pairs(names) do print(k, v) end
local function find(t, wanted)
   for k, v in pairs(t) do if v == wanted then return k end end
end
print(tostring(find(names, 'fish')), tostring(find(names, 2)), tostring(find(names, 'none')))
local holder = {kept = {}}
holder.kept.word = 'x'
for i = 1, 3 do table.insert(holder.kept, i * 2) end
holder.kept[7] = 1
print(#holder.kept, holder.kept[2], holder.kept.word, holder.kept[7])
local t = {1, 2, x = 3}
for k, v in pairs(t) do print(k, v) end
t[#t + 1] = 5
t.y = 7
for k in pairs(t) do print(k) end
local u = {[3] = 'c', [1] = 'a', z = 'z', b = 'b', [2] = 'b'}
for k, v in pairs(u) do print(k, v) end
print(#u, #t)
