-- What of optim is written in Lua.
--
-- Arguments: core {fail}, host, optim, chunk. The packages paths and xlua are loaded before.

local core, _, optim, chunk = ...

local steps = chunk('steps.lua')(core, optim.knows)
optim.knows = nil   -- for these files alone
chunk('descent.lua')(core, optim, steps)
chunk('adaptive.lua')(optim, steps)
chunk('logger.lua')(core)
