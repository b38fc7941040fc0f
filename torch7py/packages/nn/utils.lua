-- nn.utils: nested tables of tensors, and small things that layers written in Lua use.
--
-- Arguments: core {fail}, host, the package's table, which has convert and flatten of packages/nn/utils.py.

local core, _, utils = ...

local type, pairs, ipairs, select, math = type, pairs, ipairs, select, math
local torch, nn = torch, nn
local fail = core.fail
local convert = utils.convert

-- Module.flatten{tensor, ...}: one vector with all elements, of which the tensors become views.
local flatten = utils.flatten
nn.Module.flatten = function(tensors) return flatten(tensors or {}) end
nn.Module._flattenTensorBuffer = {}
utils.convert, utils.flatten = nil, nil

local function refuse(...)
   local type_names = {}
   for i = 1, select('#', ...) do type_names[i] = torch.type((select(i, ...))) end
   fail('nested tables of tensors expected, not %s', table.concat(type_names, ' and '))
end

-- recursiveType(value, type[, cache]): everything in it converted, tables and modules in place. Tensors that shared a
-- storage share one afterwards, also over several calls with one table `cache`.
function utils.recursiveType(value, name, cache)
   cache = cache or {}
   if torch.isTensor(value) then
      return torch.typename(value) == name and value or convert(value, name, cache)
   elseif torch.isTypeOf(value, 'nn.Module') or torch.isTypeOf(value, 'nn.Criterion') then
      value:type(name, cache)
   elseif torch.type(value) == 'table' then
      for key, item in pairs(value) do value[key] = utils.recursiveType(item, name, cache) end
   end
   return value
end

local function as_table(value)
   return torch.type(value) == 'table' and value or {value}
end

local function same_size(t, like)
   return (torch.isTensor(t) and t or like.new()):resize(like:size())
end

-- f(a, b) -> a, for each tensor b of the second nest and the corresponding value of the first. Returns both nests.
local function pairwise(f)
   local function walk(a, b, ...)
      if torch.type(b) == 'table' then
         a = as_table(a)
         for key, item in pairs(b) do a[key], b[key] = walk(a[key], item, ...) end
         return a, b
      end
      if not torch.isTensor(b) then refuse(a, b) end
      return f(a, b, ...), b
   end
   return walk
end

local copy = pairwise(function(a, b, async)
   a = same_size(a, b)
   return async and a:copyAsync(b) or a:copy(b)
end)
local add = pairwise(function(a, b, factor)
   if not torch.isTensor(a) then refuse(a, b) end
   return a:add(factor, b)
end)

-- recursiveCopy(to, from[, async]): `to` becomes a copy of `from`, on its own memory where it has some.
function utils.recursiveCopy(to, from, async) return copy(to, from, async) end

-- recursiveAdd(to[, factor], from)
function utils.recursiveAdd(to, factor, from)
   if from == nil then factor, from = 1, factor end
   return add(to, from, factor or 1)
end

-- recursiveResizeAs(nest, like): the same keys and sizes; entries that the other has not go.
function utils.recursiveResizeAs(a, b)
   if torch.type(b) ~= 'table' then
      if not torch.isTensor(b) then refuse(a, b) end
      return same_size(a, b), b
   end
   a = as_table(a)
   for key, item in pairs(b) do a[key], b[key] = utils.recursiveResizeAs(a[key], item) end
   for key in pairs(a) do
      if not b[key] then a[key] = nil end
   end
   return a, b
end

-- recursiveFill(nest, value)
function utils.recursiveFill(nest, value)
   if torch.isTensor(nest) then return nest:fill(value) end
   if torch.type(nest) ~= 'table' then refuse(nest) end
   for key, item in pairs(nest) do nest[key] = utils.recursiveFill(item, value) end
   return nest
end

-- addSingletonDimension([view,] tensor[, dim]): a view with a dimension of size 1 in front of dimension dim (1).
function utils.addSingletonDimension(...)
   local view, t, dim = ...
   if select('#', ...) < 3 then
      view, t, dim = nil, ...
   elseif not torch.isTensor(view) then
      fail('addSingletonDimension: a tensor expected to take the view, not a %s', torch.type(view))
   end
   if not torch.isTensor(t) then fail('addSingletonDimension: a tensor expected, not a %s', torch.type(t)) end
   dim = dim or 1
   local dims = t:dim()
   if not (dim > 0 and dim <= dims + 1) then
      fail('addSingletonDimension: no place for dimension %s in a tensor of %d dimensions', tostring(dim), dims)
   end
   local size, stride = torch.LongStorage(dims + 1), torch.LongStorage(dims + 1)
   for d = 1, dims + 1 do
      local from = d < dim and d or d - 1
      size[d] = d == dim and 1 or t:size(from)
      stride[d] = d == dim and 1 or t:stride(from)
   end
   return (view or t.new()):set(t:storage(), t:storageOffset(), size, stride)
end

-- contiguousView([output], input, sizes...): a view of the input, or of its copy in `output` if it is not contiguous.
function utils.contiguousView(output, input, ...)
   output = output or input.new()
   if input:isContiguous() then return output:view(input, ...) end
   output:resize(input:size()):copy(input)
   return output:view(output, ...)
end

-- clear(object, {'field', ...}) or clear(object, 'field', ...): tensors lose their memory, tables become empty
-- ones, anything else nil.
function utils.clear(object, ...)
   local names = {...}
   if torch.type(names[1]) == 'table' then names = names[1] end
   for _, name in ipairs(names) do
      local value = object[name]
      if torch.isTensor(value) then
         value:set()
      elseif value then
         object[name] = torch.type(value) == 'table' and {} or nil
      end
   end
   return object
end
