-- What the nn package has besides its classes.
--
-- Arguments: core, host, the package's table.

local _, _, nn = ...

nn.tables = require 'nn.tables'
