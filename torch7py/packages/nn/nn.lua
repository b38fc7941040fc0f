-- The functions of nn beside its classes.
--
-- Arguments: core, host, the package's table, chunk = f(name) -> another of these files as a function, module.

local core, host, nn, chunk, module = ...

nn.utils = require 'nn.utils'
nn.tables = require 'nn.tables'
require 'nn.THNN'
chunk('borrowed_methods.lua')(nn, module)
chunk('stochastic_gradient.lua')(core, host, nn, module)
chunk('replace.lua')(module)
if module.small then chunk('small_criterions.lua')(module.small) end   -- a Lua that reaches no memory has none
nn.Jacobian, nn.SparseJacobian = chunk('jacobian.lua')(core, host, nn)
nn.hessian = chunk('hessian.lua')(core, host, nn, module)

-- The original loads its own tests with the package (since January 2015), and they make an nn.Linear(1, 2) at once. So
-- four numbers are gone from the random stream, which shows where a program seeds before it requires nn.
for _ = 1, 4 do torch.random() end
