-- env: what Torch7 had before th: a greeting, and a few global functions. `print` is th's, which came of env's.
--
-- Arguments: core {fail}, host, env.

local core = ...
local fail = core.fail
local pairs, rawget, rawset, setmetatable, require = pairs, rawget, rawset, setmetatable, require

print 'Torch 7.0  Copyright (C) 2001-2011 Idiap, NEC Labs, NYU'

local globals = {_PROMPT = 't7> ', _PROMPT2 = '. > '}

-- exit(): end the program.
function globals.exit() os.exit() end

function globals.who() fail('who is not supported: it is for use at a prompt') end

-- import(name[, forced]): load a package and make its functions global; `forced` replaces existing globals.
function globals.import(name, forced)
   require(name)
   for key, value in pairs(rawget(_G, name)) do
      if forced or not rawget(_G, key) then rawset(_G, key, value) end
   end
end

for name, value in pairs(globals) do rawset(_G, name, value) end

-- table(): a table with the functions of `table` as methods.
local table = _G.table   -- the program's
setmetatable(table, {__call = function()
   local copy = {}
   for name, f in pairs(table) do copy[name] = f end
   return copy
end})
