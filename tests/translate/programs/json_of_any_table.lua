-- Tables in JSON of which the program does not tell what they hold
local cjson = require 'cjson'
local function save(info) local f = io.open('table.json', 'w') f:write(cjson.encode(info)) f:close() end
local h = {losses = {}, opt = {a = 1, b = 'x'}}
for i = 1, 3 do h.losses[i] = i / 2 end
save(h)
save({1, 2, {k = true}})
local file = io.open('table.json')
local back = cjson.decode(file:read('*a'))
file:close()
print(back[1], back[3].k)
local t = {}
t[5], t[9] = 1, 2
print(#cjson.encode(t))
