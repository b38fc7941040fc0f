-- iterm.dot: the drawing of a graph goes into its file, and is not shown.
--
-- Arguments: core {fail}, host, the value of the package.

local core = ...
local iterm, graph = require 'iterm', require 'graph'

-- iterm.dot(g[, file])
function iterm.dot(g, file)
   if torch.type(g) ~= 'graph.Graph' then core.fail('iterm.dot: a graph expected, not a %s', torch.type(g)) end
   if file then graph.graphvizFile(g, 'dot', file) end
   iterm.display(file or '')
end

return iterm
