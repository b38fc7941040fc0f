-- What calls of operations return: the name of the operand that it is, else its type.
--
-- Result: f(call, a Lua expression) -> that for each of its values.

require 'torch'

local operands = {
   v = function() return torch.Tensor {1.5, -2, 0.25, 3} end,
   u = function() return torch.Tensor {1, 2, 3} end,
   x = function() return torch.Tensor {{4, 1, 2}, {1, 3, 0.5}, {2, 0.5, 5}} end,
   y = function() return torch.Tensor {{1, 0.5, 2}, {2, 1, 0.25}, {3, 1, 2}} end,
   p = function() return torch.Tensor {{1, 0.5, 2}, {2, 1, 0.25}} end,
   f = function() return torch.FloatTensor {{1, 0.5, 2}, {2, 1, 0.25}} end,
   r = function() return torch.Tensor(3, 3) end,
   w = function() return torch.range(1, 12):resize(2, 2, 3) end,
   rows = function() return torch.LongTensor {2, 1} end,
   places = function() return torch.LongTensor {{1, 2, 3}, {3, 1, 2}, {2, 2, 1}} end,
   mask = function() return torch.ByteTensor {{1, 0, 1}, {0, 1, 0}, {0, 0, 1}} end,
   long = function() return torch.LongTensor {{4, 1, 2}, {1, 3, 5}, {2, 6, 5}} end,
   sizes = function() return torch.LongStorage {3, 3} end,
}

return function(call)
   torch.manualSeed(1)
   local env, names = {torch = torch}, {}
   for name, new in pairs(operands) do
      env[name] = new()
      names[torch.pointer(env[name])] = name
   end
   local values = {setfenv(assert(loadstring('return ' .. call)), env)()}
   for i, value in ipairs(values) do
      local is_object = torch.isTensor(value) or torch.isStorage(value)
      values[i] = is_object and names[torch.pointer(value)] or torch.type(value)
   end
   return table.concat(values, ' ')
end
