-- What the nn package has besides its classes.
--
-- Arguments: core, host, the package's table, chunk = f(name) -> another of these files as a function.

local core, host, nn, chunk = ...

nn.utils = require 'nn.utils'
nn.tables = require 'nn.tables'
chunk('pkg_nn_train.lua')(core, host, nn)
nn.Jacobian, nn.SparseJacobian = chunk('pkg_nn_jacobian.lua')(core, host, nn)
nn.hessian = chunk('pkg_nn_hessian.lua')(core, host, nn)
