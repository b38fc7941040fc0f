-- dl.TensorLoader(inputs, targets): tensors, or nested tables of them, whose first dimension counts the examples.
--
-- Arguments: core {fail}, dl.

local core, dl = ...
local fail = core.fail
local torch, torchx = torch, torchx

local TensorLoader = torch.class('dl.TensorLoader', 'dl.DataLoader', dl)

function TensorLoader:__init(inputs, targets)
   self.inputs, self.targets = inputs, targets
   local count, other = torchx.recursiveBatchSize(inputs), torchx.recursiveBatchSize(targets)
   if count ~= other then fail('dl.TensorLoader: %d inputs but %d targets', count, other) end
end

local function index(self, indices, inputs, targets)
   return torchx.recursiveIndex(inputs, self.inputs, 1, indices),
          torchx.recursiveIndex(targets, self.targets, 1, indices)
end

-- loader:index(indices[, inputs[, targets]])
TensorLoader.index = index

-- loader:shuffle(): the loader, and in which order its examples are now.
function TensorLoader:shuffle()
   local order = torch.LongTensor():randperm(self:size())
   self.inputs, self.targets = index(self, order)
   return self, order
end

-- loader:split(ratio): two loaders on the same memory, of the first examples and the others.
function TensorLoader:split(ratio)
   if not (ratio > 0 and ratio < 1) then fail('dl.TensorLoader: a ratio between 0 and 1 expected') end
   local size = self:size()
   local first = math.floor(size * ratio)
   local function part(from, to)
      return dl.TensorLoader(torchx.recursiveSub(self.inputs, from, to), torchx.recursiveSub(self.targets, from, to))
   end
   return part(1, first), part(first + 1, size)
end

function TensorLoader:size() return torchx.recursiveBatchSize(self.inputs) end

-- loader:isize([without]), loader:tsize([without]): the sizes of inputs and targets, without dimension 1, another or
-- (false) none.
local function sizes(nest, without)
   if without == nil then without = 1 end
   return torchx.recursiveSize(nest, without)
end

function TensorLoader:isize(without) return sizes(self.inputs, without) end

function TensorLoader:tsize(without) return sizes(self.targets, without) end
