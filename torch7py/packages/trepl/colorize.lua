-- trepl.colorize: functions by name that write a text in a colour.
--
-- Arguments: core, host, colorize. The package trepl.colors is loaded before.

local _, _, colorize = ...
local colors = require 'trepl.colors'

for name, code in next, colors do
   colorize[name] = function(text) return code .. text .. colors.none end
end
