-- Functions over nested tables of tensors, which the packages rnn and torchx both have.
--
-- Arguments: core. Result: a table of them. Those of two arguments give the first the structure of the second, create
-- missing tensors, and return both.

local core = ...

local type, pairs = type, pairs
local torch = torch
local nests = {}

local function refuse(what)
   core.fail('nested tables of tensors expected, not a %s', torch.type(what))
end

-- f(a, b) -> a, for each tensor b of the second; a is nil where the first has none.
local function pairwise(f)
   local function walk(a, b)
      if torch.isTensor(b) then return f(torch.isTensor(a) and a or nil, b), b end
      if type(b) ~= 'table' then refuse(b) end
      if torch.type(a) ~= 'table' then a = {a} end
      for key, item in pairs(b) do a[key], b[key] = walk(a[key], item) end
      return a, b
   end
   return walk
end

-- f(tensor, ...) -> tensor, for each tensor.
local function each(f)
   local function walk(t, ...)
      if torch.isTensor(t) then return f(t, ...) end
      if type(t) ~= 'table' then refuse(t) end
      for key, item in pairs(t) do t[key] = walk(item, ...) end
      return t
   end
   return walk
end

nests.recursiveResizeAs = pairwise(function(a, b) return (a or b.new()):resizeAs(b) end)
nests.recursiveSet = pairwise(function(a, b) return (a or b.new()):set(b) end)
nests.recursiveCopy = pairwise(function(a, b) return (a or b.new()):resizeAs(b):copy(b) end)
nests.recursiveAdd = pairwise(function(a, b)
   if not a then refuse(a) end
   return a:add(b)
end)
nests.recursiveNormal = each(function(t) return t:normal() end)
nests.recursiveFill = each(function(t, value) return t:fill(value) end)

-- Whether two nests are equal to 1e-5.
function nests.recursiveTensorEq(a, b)
   if torch.isTensor(b) then
      if not torch.isTensor(a) then refuse(a) end
      return (a - b):abs():max() < 1e-5
   end
   if type(b) ~= 'table' then refuse(b) end
   if type(a) ~= 'table' then return false end
   local equal = true
   for key, item in pairs(b) do equal = equal and nests.recursiveTensorEq(a[key], item) end
   return equal
end

-- The sum of all elements.
function nests.recursiveSum(t)
   if torch.isTensor(t) then return t:sum() end
   if type(t) ~= 'table' then refuse(t) end
   local sum = 0
   for _, item in pairs(t) do sum = sum + nests.recursiveSum(item) end
   return sum
end

-- Empty tensors of the same types in the same nesting.
function nests.recursiveNew(t)
   if torch.isTensor(t) then return t.new() end
   if type(t) ~= 'table' then refuse(t) end
   local result = {}
   for key, item in pairs(t) do result[key] = nests.recursiveNew(item) end
   return result
end

-- The tensors converted in place; other values stay.
function nests.recursiveType(t, name)
   if torch.isTensor(t) then return t:type(name) end
   if torch.type(t) == 'table' then
      for i = 1, #t do t[i] = nests.recursiveType(t[i], name) end
   end
   return t
end

return nests
