-- torchx: functions that join, sort and walk through tensors.
--
-- Arguments: core {fail}.

local core = ...
local fail = core.fail
local torch, type, ipairs, tostring, table = torch, type, ipairs, tostring, table

-- torch.concat([result,] tensors[, dim]): the tensors one after the other along a dimension (1). Without a result it is of
-- the type of the first, or of the one whose number follows.
function torch.concat(result, tensors, dim, of)
   if type(result) == 'table' then result, tensors, dim, of = nil, result, tensors, dim end
   if type(tensors) ~= 'table' or not torch.isTensor(tensors[1]) then fail 'torch.concat: a table of tensors expected' end
   dim = dim or 1
   result = result or tensors[of or 1].new()
   local sizes = tensors[1]:size():totable()
   sizes[dim] = 0
   for i, x in ipairs(tensors) do
      if not torch.isTensor(x) then fail('torch.concat: entry %d is no tensor, but a %s', i, torch.type(x)) end
      for d, size in ipairs(x:size():totable()) do
         if d == dim then
            sizes[d] = sizes[d] + size
         elseif sizes[d] ~= size then
            fail('torch.concat: tensor %d has %d in dimension %d, not %s', i, size, d, tostring(sizes[d]))
         end
      end
   end
   result:resize(table.unpack(sizes))
   local start = 1
   for _, x in ipairs(tensors) do
      result:narrow(dim, start, x:size(dim)):copy(x)
      start = start + x:size(dim)
   end
   return result
end

for _, name in ipairs {'Byte', 'Char', 'Short', 'Int', 'Long', 'Float', 'Double', 'Cuda'} do
   local mt = torch.getmetatable('torch.' .. name .. 'Tensor')
   if mt then mt.concat = torch.concat end
end

-- torch.group([sorted, index,] tensor[, same[, descending]]): the elements of a vector that same(first, element) says are
-- one group, equal ones by default: groups[first] = {idx = their indices, val = their values}. Also returns both
-- sorted.
function torch.group(sorted, index, x, same, descending)
   if not torch.isTensor(x) then sorted, index, x, same, descending = nil, nil, sorted, index, x end
   if not torch.isTensor(x) then fail 'torch.group: a tensor expected' end
   sorted, index = sorted or x.new(), index or torch.LongTensor()
   if same ~= nil and type(same) ~= 'function' then fail 'torch.group: a function expected as argument 4' end
   sorted:sort(index, x, descending or false)
   local groups, start, count = {}, 1, sorted:nElement()
   for i = 2, count + 1 do
      local first = sorted[start]
      local ends = i > count
      if not ends then
         if same then ends = not same(first, sorted[i]) else ends = first ~= sorted[i] end
      end
      if ends then
         groups[first] = {idx = index:narrow(1, start, i - start), val = sorted:narrow(1, start, i - start)}
         start = i
      end
   end
   return groups, sorted, index
end

-- torch.remap(a, b, f[, likeA, likeB]): f(x, y) for the corresponding tensors of two nested tables. A missing one is
-- created: empty tensors of the type of the prototypes, or of the other.
function torch.remap(a, b, f, like_a, like_b)
   if type(f) ~= 'function' then fail 'torch.remap: a function expected as argument 3' end
   local nested = type(a) == 'table' and a or type(b) == 'table' and b
   if nested then
      a, b = a or {}, b or {}
      for i = 1, #nested do a[i], b[i] = torch.remap(a[i], b[i], f, like_a, like_b) end
      return a, b
   end
   if not torch.isTensor(a) and not torch.isTensor(b) then
      fail('torch.remap: nested tables of tensors expected, not %s and %s', torch.type(a), torch.type(b))
   end
   if not a then
      a = (like_a or b).new()
   elseif not b then
      b = (like_b or like_a or a).new()
   end
   f(a, b)
   return a, b
end

-- torch.treemax(x, sizes): the largest element and its index in the branch with the largest mean, down a tree whose
-- levels divide the vector into as many parts as sizes says.
function torch.treemax(x, sizes)
   if type(sizes) ~= 'table' or not torch.isTensor(x) or x:dim() ~= 1 then
      fail 'torch.treemax: a vector and a table of sizes expected'
   end
   local level, position, best = x:contiguous(), 1, 0
   for i, size in ipairs(sizes) do
      level = level:view(size, -1)
      local width = level:size(2)
      local scores = i < #sizes and level:mean(2):select(2, 1) or level:select(2, 1)
      local value, at = scores:max(1)
      best, position = value[1], position + (at[1] - 1) * width
      level = level[at[1]]
   end
   return best, position
end
