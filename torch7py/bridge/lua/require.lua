local core, host, packages = ...
local R = {}
function R.load(source, name) return loadstring(host.patch(source), name) end
local old = require
function require(name) local p = packages.load(name) if p then return p end return old(name) end
return R
