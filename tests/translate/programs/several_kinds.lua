require 'torch'

-- a copy of a value, with all that is in it
local function copied(x)
   if type(x) == 'table' then
      local y = {}
      -- each entry by itself
      for k, v in pairs(x) do
         y[k] = copied(v)
      end
      return y
   elseif torch.isTensor(x) then
      return x:clone()
   else
      return x
   end
end

local state = {h = torch.ones(2), c = {torch.zeros(2), torch.ones(3)}, steps = 3, name = 'a'}
local other = copied(state)
other.h:fill(7)
other.c[1]:fill(5)
print(state.h[1], other.h[1], state.c[1][1], other.c[1][1], other.steps, other.name)

-- how much there is of it
local function size(x)
   if torch.isTensor(x) then
      return x:nElement()
   elseif type(x) == 'string' then
      return #x
   elseif x == nil then
      return 0
   elseif type(x) == 'number' then
      return x
   end
   local total = 0
   for i = 1, #x do total = total + size(x[i]) end
   return total
end
print(size(torch.ones(5):split(2)), size(torch.ones(3)), size('abc'), size(4), size(nil), size({torch.ones(2), torch.ones(1)}))

local function clear(x)
   if type(x) ~= 'table' then
      x:zero()
      return
   end
   for _, v in ipairs(x) do clear(v) end
end
local a, b = torch.ones(2), {torch.ones(3), torch.ones(1)}
clear(a)
clear(b)
print(a:sum(), b[1]:sum(), b[2]:sum())

-- tables of both kinds
local function show(x, indent)
   indent = indent or ''
   if type(x) == 'table' then
      for k, v in pairs(x) do
         if type(v) == 'table' then
            print(indent .. tostring(k) .. ':')
            show(v, indent .. '  ')
         else
            print(indent .. tostring(k) .. ' = ' .. tostring(v))
         end
      end
   else
      print(indent .. tostring(x))
   end
end
show({a = 1, b = {2, 3, 'x'}, c = {d = true}})
show(3)
show({'p', 'q'})

local function doubled(x)
   if type(x) == 'number' then
      return x * 2
   elseif type(x) == 'string' then
      return x .. x
   end
   return x:clone():mul(2)
end
print(doubled(4) + 1, doubled('ab'):upper(), doubled(torch.ones(3)):sum())

local function joined(x, separator)
   assert(type(x) == 'table' or type(x) == 'string', 'text or texts')
   if type(x) == 'string' then return x end
   return table.concat(x, separator or ', ')
end
print(joined('a'), joined({'b', 'c'}), joined({'d', 'e'}, '-'))

-- what takes anything makes nothing else of what it is given
local function said(what, ...)
   local all = {...}
   return tostring(what) .. #all
end
local count, label = {n = 2}, 'some'
print(said(count.n, label, 3), said(label), label:upper(), count.n + 1)

-- a table or a tensor is only equal to itself
local function same(x, y) return x == y end
local list, tensor = {1}, torch.ones(1)
print(same(1, 1), same(list, list), same({1}, {1}), same(tensor, tensor), same(tensor, torch.ones(1)))
print(same(true, 1), same(1, '1'), same('a', 'a'))

-- Asked for what nobody gives it here: the branch stays, for those who will.
local function parts(input)
   local first, second
   if torch.type(input) == 'table' and #input == 2 then
      first, second = unpack(input)
   elseif torch.isTensor(input) then
      second = input
   end
   return first, second
end
local none, given = parts(torch.ones(2, 3))
print(none == nil, given:size(1))
