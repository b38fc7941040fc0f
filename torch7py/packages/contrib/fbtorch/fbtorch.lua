-- fbtorch: torch as Facebook loaded it: with torch.reload, and with sys.
--
-- Arguments: core, host. Result: torch.

local package, require = package, require

-- torch.reload(name): run a module once more and return its result.
function torch.reload(name, ...)
   package.loaded[name] = nil
   return require(name, ...)
end

_G.string.gfind = string.gfind or string.gmatch

return torch
