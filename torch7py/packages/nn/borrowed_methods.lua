-- Methods of nn.Module that programs call on other objects, mostly criterions with parameters:
-- `nn.Module.getParameters(self)`. Such an object is accepted by its methods, not by its class. A class
-- is such an object too: in a method, `parent:clearState()` is a call on the parent itself.
--
-- Arguments: nn, module.

local nn, module = ...
local Module, Criterion = torch.getmetatable('nn.Module'), torch.getmetatable('nn.Criterion')

-- Use f(object, ...) for objects that are not nn.Modules.
local function lend(name, f)
   local method = Module[name]
   module.redefine(Module, name, function(self, ...)
      local is_class = type(self) == 'table' and rawget(self, '__typename') ~= nil
      if not is_class and torch.isTypeOf(self, 'nn.Module') then return method(self, ...) end
      return f(self, ...)
   end)
end

lend('getParameters', function(self)
   local parameters, gradients = self:parameters()
   return nn.Module.flatten(parameters), nn.Module.flatten(gradients)
end)

lend('clone', function(self, ...)
   local clone
   if torch.isTypeOf(self, 'nn.Criterion') then
      clone = Criterion.clone(self)
   else
      clone = torch.deserialize(torch.serialize(self))
   end
   if select('#', ...) > 0 then clone:share(self, ...) end
   return clone
end)

lend('clearState', function(self) return nn.utils.clear(self, 'output', 'gradInput') end)
