-- Sizes, strides and offsets of what operations and layers of shapes make, of dimensions of size 1 in particular.
require 'nn'

local function say(name, t)
   local sizes, strides = {}, {}
   for i = 1, t:dim() do sizes[i], strides[i] = t:size(i), t:stride(i) end
   print(('%s: %s | %s | %d %s'):format(name, table.concat(sizes, 'x'), table.concat(strides, ','), t:storageOffset(),
                                       tostring(t:isContiguous())))
end

local made = {
   'torch.randn(1, 3)', 'torch.randn(3, 1)', 'torch.randn(3, 1):t()', 'torch.randn(1, 3):t()', 'torch.randn(1):expand(5)',
   'torch.randn(1, 3):expand(1, 3)', 'torch.randn(1, 3):expand(2, 3)', 'torch.randn(1, 1, 2):expand(1, 1, 2)',
   'torch.randn(4, 5):narrow(2, 2, 1)', 'torch.randn(4, 5):narrow(1, 2, 1)', 'torch.randn(4, 5):narrow(2, 2, 1):narrow(1, 1, 3)',
   'torch.randn(1, 3, 1):expand(4, 3, 1)', 'torch.randn(3, 1):expandAs(torch.randn(3, 4))', 'torch.randn(2, 1, 3):transpose(1, 3)',
   'torch.randn(1, 1, 3):transpose(1, 3)', 'torch.randn(4, 1, 5):select(1, 2)', 'torch.randn(4):view(1, 4, 1)',
}
local operations = {
   'x', 'x.new(x)', 'torch.Tensor(x)', 'x:clone()', 'x:contiguous()', 'torch.Tensor():set(x)', 'torch.Tensor():resizeAs(x)',
   'x:contiguous():view(-1)', 'x:contiguous():viewAs(x)', 'x:squeeze()', 'x:narrow(1, 1, 1)', 'x[{{1}}]', 'x[{{}, {1}}]',
   'x:unfold(1, 1, 1)', 'x:repeatTensor(1, 2, 1)', 'x:select(2, 1)', 'x:transpose(1, 2)', 'x:sum(1)', 'x:max(1)',
   'x:index(1, torch.LongTensor{1})', 'torch.cat(x, x, 1)', 'x:split(1, 1)[1]', 'x:chunk(1, 1)[1]', 'x:expandAs(x)',
   'nn.utils.addSingletonDimension(x, 1)', 'nn.utils.addSingletonDimension(x, 2)',
}
local layers = {
   'nn.Reshape(1, 3)', 'nn.Reshape(3, 1)', 'nn.Reshape(1, 3, true)', 'nn.Replicate(1)', 'nn.Replicate(1, 2)', 'nn.Replicate(2, 2)',
   'nn.Squeeze()', 'nn.Squeeze(1)', 'nn.Select(1, 1)', 'nn.Select(2, 1)', 'nn.Narrow(1, 1, 1)', 'nn.Transpose({1, 2})',
   'nn.Contiguous()', 'nn.Identity()', 'nn.Sum(1)', 'nn.Mean(2)', 'nn.Unsqueeze(1)', 'nn.Unsqueeze(2)', 'nn.Unsqueeze(1, 1)',
   'nn.Padding(1, 1)', 'nn.Linear(3, 1)', 'nn.Linear(1, 3)', 'nn.Collapse(2)', 'nn.CMul(1, 3)',
   'nn.Sequential():add(nn.Contiguous()):add(nn.View(-1))', 'nn.Sequential():add(nn.Contiguous()):add(nn.View(1, -1))',
   'nn.Sequential():add(nn.Contiguous()):add(nn.View(-1, 1))',
   'nn.Sequential():add(nn.Contiguous()):add(nn.View(-1, 1):setNumInputDims(1))',
   'nn.Sequential():add(nn.Unsqueeze(1)):add(nn.Replicate(1, 1))',
}

for _, input in ipairs(made) do
   local x = loadstring('return ' .. input)()
   for _, operation in ipairs(operations) do
      local ok, result = pcall(loadstring('local x = ... return ' .. operation), x)
      if ok and torch.isTensor(result) then say(operation .. ' of ' .. input, result) end
   end
   for _, layer in ipairs(layers) do
      local m = loadstring('return ' .. layer)()
      local ok, output = pcall(m.forward, m, x)
      if ok then
         say(layer .. ' of ' .. input, output)
         local ok, gradient = pcall(m.backward, m, x, torch.randn(output:size()))
         if ok then say('its gradient', gradient) end
      end
   end
end
