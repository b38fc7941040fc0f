-- trepl.colors: codes for a terminal's colours by name.
--
-- Arguments: core, host, colors. The package sys is loaded before.

local _, _, colors = ...

for name, code in next, sys.COLORS do colors[name] = code end
for name, code in next, {bright = 1, dim = 2, underline = 4, blink = 5, reverse = 7, hidden = 8} do
   colors[name] = ('\27[%dm'):format(code)
end
