-- Questions whether something is a table that nothing else is given.
require 'torch'
local kept = {}
local function push(...) kept[1] = {...} end
local function pop()
   local res = kept[1]
   kept[1] = nil
   if torch.type(res) == 'table' then return res end
   return 'nothing'
end
push(1, 2)
local got = pop()
print(type(got), type(pop()))
local config = {name = 'x'}
print(type(config) == 'table', torch.type(config) ~= 'table', type(kept[1]) == 'table')
local list = {{1}}
print(type(list[2]) == 'table', type(list[1]) == 'table')

