-- nccl: sums and copies among tensors, each of which is on a different GPU in the original, and here on any.
-- Everything is done when a function returns, `async` or not.
--
-- Arguments: core {fail}, host, nccl.

local core, _, nccl = ...
local fail = core.fail
local torch, ipairs = torch, ipairs

-- Tensors as rows of numbers, each with as many elements as it needs.
local function rows(tensors, count, name)
   local vectors = {}
   for i, tensor in ipairs(tensors) do
      if not torch.isTensor(tensor) or not torch.type(tensor):find 'Cuda' then fail('nccl.%s: CUDA tensors expected', name) end
      if tensor:nElement() ~= count or not tensor:isContiguous() then
         fail('nccl.%s: contiguous tensors of %d elements expected', name, count)
      end
      vectors[i] = tensor:view(-1)
   end
   return vectors
end

local function same_number(inputs, outputs, name)
   if outputs and #outputs ~= #inputs then fail('nccl.%s: as many outputs as inputs expected', name) end
end

local function index_of(root, inputs, name)
   root = root or 1
   if not inputs[root] then fail('nccl.%s: invalid root: %s', name, tostring(root)) end
   return root
end

local function sum_of(inputs)
   local sum = inputs[1]:clone()
   for i = 2, #inputs do sum:add(inputs[i]) end
   return sum
end

-- nccl.allReduce(inputs[, outputs, async]): the sum of all inputs in each output, or input.
function nccl.allReduce(inputs, outputs)
   local count = inputs[1]:nElement()
   same_number(inputs, outputs, 'allReduce')
   local from = rows(inputs, count, 'allReduce')
   local to, sum = outputs and rows(outputs, count, 'allReduce') or from, sum_of(from)
   for i = 1, #to do to[i]:copy(sum) end
end

-- nccl.reduce(inputs[, outputs, async, root]): the sum in the output, or input, of the root.
function nccl.reduce(inputs, outputs, _, root)
   local count = inputs[1]:nElement()
   root = index_of(root, inputs, 'reduce')
   local from = rows(inputs, count, 'reduce')
   local to = outputs and rows({outputs[root]}, count, 'reduce')[1] or from[root]
   to:copy(sum_of(from))
end

-- nccl.bcast(inputs[, async, root]): the root's numbers in all.
function nccl.bcast(inputs, _, root)
   root = index_of(root, inputs, 'bcast')
   local all = rows(inputs, inputs[1]:nElement(), 'bcast')
   for i = 1, #all do all[i]:copy(all[root]) end
end

-- nccl.allGather(inputs, outputs[, async]): all inputs, one after the other, in each output.
function nccl.allGather(inputs, outputs)
   if not outputs then fail 'nccl.allGather: outputs expected' end
   local count = inputs[1]:nElement()
   same_number(inputs, outputs, 'allGather')
   local all = torch.cat(rows(inputs, count, 'allGather'), 1)
   for _, output in ipairs(rows(outputs, count * #inputs, 'allGather')) do output:copy(all) end
end

-- nccl.reduceScatter(inputs, outputs[, async]): the sum, a part of it in each output.
function nccl.reduceScatter(inputs, outputs)
   if not outputs or not outputs[1] then fail 'nccl.reduceScatter: outputs expected' end
   local count = outputs[1]:nElement()
   same_number(inputs, outputs, 'reduceScatter')
   local sum = sum_of(rows(inputs, count * #inputs, 'reduceScatter'))
   for i, output in ipairs(rows(outputs, count, 'reduceScatter')) do
      output:copy(sum:narrow(1, (i - 1) * count + 1, count))
   end
end
