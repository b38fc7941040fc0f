-- optnet.graphgen: there for programs that require it and draw no model.
--
-- Arguments: core {fail}.

local core = ...

return function()
   core.fail 'optnet.graphgen: the graph of a model is not made here; nngraph and graph.dot draw one that nngraph made'
end
