-- nngraph: drawings of graphs, with names for their nodes, and of those in which an error has happened.
--
-- Arguments: nngraph, is_node, failed = f(m) -> the number of the node at which m's last error was.

local nngraph, is_node, failed = ...

local next, ipairs, rawset, pcall, error, insert, getlocal = next, ipairs, rawset, pcall, error, table.insert, debug.getlocal
local graph, typename = graph, torch.typename
local GModule = torch.getmetatable('nn.gModule')

-- nngraph.annotateNodes([level]): name the nodes in the local variables of the caller after these variables.
function nngraph.annotateNodes(level)
   level = (level or 1) + 1
   local index = 1
   while true do
      local name, value = getlocal(level, index)
      if not name then return end
      if is_node(value) and not value.data.annotations.name then value:annotate {name = name} end
      index = index + 1
   end
end

-- Draw the graph of a module in which an error has happened, the node in red.
local function draw_failure(m)
   local prefix = m.name or ('nngraph_%din_%dout'):format(m.nInputs, #m.outnode.children)
   if paths.filep(prefix .. '.svg') then
      local temporary = os.tmpname()
      os.remove(temporary)
      prefix = prefix .. '_' .. paths.basename(temporary)
   end
   local number = failed(m)
   local annotations = number and m.forwardnodes[number].data.annotations or {}
   local before = annotations.graphAttributes
   local attributes = {style = 'filled', fillcolor = 'red'}
   for key, value in next, before or {} do attributes[key] = attributes[key] or value end
   annotations.graphAttributes = attributes
   io.stderr:write(('saving %s.svg\n'):format(prefix))
   local ok, err = pcall(graph.dot, m.fg, prefix, prefix)
   annotations.graphAttributes = before
   if not ok then error(err, 0) end
end

local WATCHED = {'runForwardFunction', 'updateGradInput', 'accGradParameters'}
local natives = {}
for _, name in ipairs(WATCHED) do natives[name] = GModule[name] end

-- nngraph.setDebug(true): an error in a graph also draws it, as NAME.svg and NAME.dot, NAME the module's `name`.
function nngraph.setDebug(enable)
   for _, name in ipairs(WATCHED) do
      local native = natives[name]
      rawset(GModule, name, not enable and native or function(self, ...)
         local function pass(ok, ...)
            if not ok then
               draw_failure(self)
               error((...), 0)
            end
            return ...
         end
         return pass(pcall(native, self, ...))
      end)
   end
end

-- nngraph.display(m): draw the graph and show the drawing by the desktop's viewer.
function nngraph.display(m)
   local path = os.tmpname()
   graph.dot(m.fg, path, path)
   local opener = jit and jit.os == 'OSX' and 'open' or 'xdg-open'
   os.execute(opener .. ' ' .. path .. '.svg')
end

-- nngraph.simple_print: drawings of the modules alone, without identities and what joins and splits them.
local simple = {}
nngraph.simple_print = simple

-- The nodes that are drawn, and the edges between them with those around the others joined.
local function condense(g)
   local shown, edges = {}, {}
   for _, node in ipairs(g.nodes) do
      for _, child in ipairs(node.children) do insert(edges, {node, child}) end
   end
   for _, node in ipairs(g.nodes) do
      local owner = node.data and node.data.module
      if owner and typename(owner) ~= 'nn.Identity' then
         insert(shown, node)
      else
         local rest, before, after = {}, {}, {}
         for _, edge in ipairs(edges) do
            if edge[1] == node then
               insert(after, edge[2])
            elseif edge[2] == node then
               insert(before, edge[1])
            else
               insert(rest, edge)
            end
         end
         for _, a in ipairs(before) do
            for _, b in ipairs(after) do insert(rest, {a, b}) end
         end
         edges = rest
      end
   end
   return shown, edges
end

function simple.todot(g, title)
   local shown, edges = condense(g)
   local text = {'digraph G {\n'}
   if title then insert(text, 'labelloc="t";\nlabel="' .. title .. '";\n') end
   insert(text, 'node [shape = oval]; ')
   for _, node in ipairs(shown) do
      insert(text, ('\nn%d[label="Node%d\\n%s"];'):format(node.id, node.id, node:label()))
   end
   insert(text, '\n')
   for _, edge in ipairs(edges) do insert(text, ('n%d -> n%d;\n'):format(edge[1].id, edge[2].id)) end
   insert(text, '}')
   return table.concat(text)
end

function simple.dot(g, title, path)
   local shown, edges = condense(g)
   local drawing = graph.Graph()
   local copies = {}
   for _, node in ipairs(shown) do copies[node] = node.new(node.data) end
   for _, edge in ipairs(edges) do drawing:add(graph.Edge(copies[edge[1]], copies[edge[2]])) end
   graph.dot(drawing, title, path)
end
