-- pl.compat: functions that differ between versions of Lua, under common names.
--
-- Arguments: core, host, compat. The package pl.utils is loaded before.

local _, _, compat = ...
local utils = require 'pl.utils'

compat.lua51 = utils.lua51
compat.jit = rawget(_G, 'jit') ~= nil
if compat.jit then compat.jit52 = loadstring 'local goto = 1' == nil end
compat.dir_separator = utils.dir_separator
compat.is_windows = utils.is_windows
compat.load, compat.setfenv, compat.getfenv = load, setfenv, getfenv
compat.execute = utils.execute
