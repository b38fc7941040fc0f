-- graph: directed graphs of Lua objects, and drawings of them.
--
-- A node's `children` holds the nodes that its edges lead to, in the order they were added, and under each of them
-- its number; `nodes` and `edges` of a graph are kept in the same way.
--
-- Arguments: core {fail}, host, graph with the functions {order, draw, positions}, which programs do not see.

local core, _, graph = ...
local fail = core.fail
local order, draw, positions = graph.order, graph.draw, graph.positions
graph.order, graph.draw, graph.positions = nil, nil, nil

local ipairs, pairs, type, tostring, insert, sort = ipairs, pairs, type, tostring, table.insert, table.sort
local typename = torch.typename

-- Append an object to a list that maps each object to its index.
local function enlist(list, object)
   if list[object] == nil then
      insert(list, object)
      list[object] = #list
   end
   return list[object]
end

---------------------------------------------------------------------------------------------------------
-- Edges

local Edge = torch.class('graph.Edge')

-- graph.Edge(from, to[, weight])
function Edge:__init(from, to, weight)
   self.from, self.to, self.weight = from, to, weight
end

---------------------------------------------------------------------------------------------------------
-- Nodes

local Node = torch.class('graph.Node')

-- graph.Node(data): any value, shared by the copies of the node in other graphs.
function Node:__init(data)
   self.data, self.id, self.children = data, 0, {}
   self.visited, self.marked = false, false
end

-- node:add(child), or a table of children: an edge to each.
function Node:add(child)
   if type(child) == 'table' and not typename(child) then
      for _, each in ipairs(child) do self:add(each) end
   else
      enlist(self.children, child)
   end
end

-- node:visit([before, after]): depth first, each node that is not `visited`; the functions set that mark.
function Node:visit(before, after)
   if self.visited then return end
   if before then before(self) end
   for _, child in ipairs(self.children) do child:visit(before, after) end
   if after then after(self) end
end

function Node:label() return tostring(self.data) end

-- node:graph(): the graph of all nodes that can be reached from this one.
function Node:graph()
   local result = graph.Graph()
   self:bfs(function(node)
      for _, child in ipairs(node.children) do result:add(graph.Edge(node, child)) end
   end)
   return result
end

-- node:dfs(f): call f with each node that can be reached, after all that its edges lead to.
-- node:dfs_dirty(f) leaves them marked as visited; it returns them.
function Node:dfs_dirty(f)
   local result = {}
   self:visit(function(node) node.visited = true end, function(node)
      f(node)
      insert(result, node)
   end)
   return result
end

function Node:dfs(f)
   for _, node in ipairs(self:dfs_dirty(f)) do node.visited = false end
end

-- node:bfs(f): call f with each node that can be reached, the nearer first.
-- node:bfs_dirty(f) leaves them marked; it returns them.
function Node:bfs_dirty(f)
   local result, at = {self}, 1
   self.marked = true
   while result[at] do
      local node = result[at]
      f(node)
      for _, child in ipairs(node.children) do
         if not child.marked then
            child.marked = true
            insert(result, child)
         end
      end
      at = at + 1
   end
   return result
end

function Node:bfs(f)
   for _, node in ipairs(self:bfs_dirty(f)) do node.marked = false end
end

-- node:hasCycle(): whether edges lead from some node that can be reached back to it.
function Node:hasCycle()
   local open, done = {}, {}
   local function explore(node)
      if open[node] then return true end
      if done[node] then return false end
      open[node] = true
      for _, child in ipairs(node.children) do
         if explore(child) then return true end
      end
      open[node], done[node] = nil, true
      return false
   end
   return explore(self)
end

---------------------------------------------------------------------------------------------------------
-- Graphs

local Graph = torch.class('graph.Graph')

function Graph:__init()
   self.nodes, self.edges = {}, {}
end

-- g:add(edge), or a table of edges.
function Graph:add(edge)
   if type(edge) ~= 'table' then fail('graph.Edge or {graph.Edges} expected') end
   if not typename(edge) then
      for _, each in ipairs(edge) do self:add(each) end
      return
   end
   enlist(self.edges, edge)
   edge.from.id = enlist(self.nodes, edge.from)
   edge.to.id = enlist(self.nodes, edge.to)
   edge.from:add(edge.to)
end

-- g:clone(): new nodes and edges, the same data.
function Graph:clone()
   local copy, nodes = graph.Graph(), {}
   for _, node in ipairs(self.nodes) do nodes[node] = node.new(node.data) end
   for _, edge in ipairs(self.edges) do copy:add(edge.new(nodes[edge.from], nodes[edge.to])) end
   return copy
end

-- g:reverse(): the graph with all edges turned round, of new nodes with the same data; and the new node of each.
function Graph:reverse()
   local result, nodes = graph.Graph(), {}
   for _, edge in ipairs(self.edges) do
      local from, to = edge.from, edge.to
      nodes[from] = nodes[from] or from.new(from.data)
      nodes[to] = nodes[to] or to.new(to.data)
      result:add(edge.new(nodes[to], nodes[from]))
   end
   return result, nodes
end

-- The ends of edges, `here` ('from' or 'to'), at which no edge has its other end.
local function extremes(self, here, there)
   local others, result = {}, {}
   for _, edge in ipairs(self.edges) do others[edge[there]] = true end
   for _, edge in ipairs(self.edges) do
      local node = edge[here]
      if not others[node] then
         others[node] = true
         insert(result, node)
      end
   end
   sort(result, function(a, b) return self.nodes[a] < self.nodes[b] end)
   return result
end

-- g:roots(): the nodes that no edge leads to. g:leaves(): those that no edge leaves.
function Graph:roots() return extremes(self, 'from', 'to') end
function Graph:leaves() return extremes(self, 'to', 'from') end

function Graph:hasCycle()
   local roots = self:roots()
   if #roots == 0 then return true end
   for _, root in ipairs(roots) do
      if root:hasCycle() then return true end
   end
   return false
end

-- g:topsort(): the nodes, each after those from which an edge leads to it; the reversed graph, and its roots.
function Graph:topsort()
   local numbers = {}
   for _, edge in ipairs(self.edges) do
      insert(numbers, self.nodes[edge.from])
      insert(numbers, self.nodes[edge.to])
   end
   local result = order(numbers)
   for i, number in ipairs(result) do result[i] = self.nodes[number] end
   local reversed = self:reverse()
   return result, reversed, reversed:roots()
end

---------------------------------------------------------------------------------------------------------
-- Drawings

function graph._dotEscape(text)
   if not text:find('[^a-zA-Z]') then return text end
   return '"' .. text:gsub('\n', '\\n'):gsub('"', '\\"') .. '"'
end

local function name_of(node)
   return node.graphNodeName and node:graphNodeName() or 'Node' .. node.id
end

local function attributes_of(node)
   local result = {}
   for key, value in pairs(node.graphNodeAttributes and node:graphNodeAttributes() or {}) do
      result[tostring(key)] = tostring(value)
   end
   return result
end

-- g:todot([title]): the graph in the language of Graphviz.
function Graph:todot(title)
   local text = {'digraph G {\n'}
   if title then insert(text, 'labelloc="t";\nlabel="' .. title .. '";\n') end
   insert(text, 'node [shape = oval]; ')
   for _, node in ipairs(self.nodes) do
      local words = {}
      for key, value in pairs(attributes_of(node)) do insert(words, key .. '=' .. graph._dotEscape(value)) end
      sort(words)
      local label = graph._dotEscape(name_of(node) .. '\n' .. node:label())
      local rest = node.graphNodeAttributes and ' ' .. table.concat(words, ' ') or ''
      insert(text, ('\nn%d[label=%s%s];'):format(node.id, label, rest))
   end
   insert(text, '\n')
   for _, edge in ipairs(self.edges) do
      insert(text, ('n%d -> n%d;\n'):format(edge.from.id, edge.to.id))
   end
   insert(text, '}')
   return table.concat(text)
end

-- The contents of a drawing: labels and attributes of the nodes by their numbers, and the start and end of each edge.
local function parts(g)
   local labels, attributes, ends = {}, {}, {}
   for i, node in ipairs(g.nodes) do
      labels[i] = name_of(node) .. '\n' .. node:label()
      attributes[i] = attributes_of(node)
   end
   for _, edge in ipairs(g.edges) do
      insert(ends, edge.from.id)
      insert(ends, edge.to.id)
   end
   return labels, attributes, ends
end

-- graph.graphvizFile(g[, algorithm], path): a file of the kind that the path's ending says.
function graph.graphvizFile(g, algorithm, path)
   draw(g:todot(), nil, algorithm or 'dot', path, parts(g))
end

-- graph.graphvizLayout(g[, algorithm]): where the nodes lie, a matrix of x and y from 0 to 1, a row for each.
function graph.graphvizLayout(g, algorithm)
   local labels, _, ends = parts(g)
   return torch.DoubleTensor(positions(g:todot(), algorithm or 'dot', labels, ends))
end

-- graph.dot(g[, title, path]): path.svg and path.dot; without a path, files in the directory for temporary
-- ones, whose name is said.
function graph.dot(g, title, path)
   local shown = path == nil
   path = path or os.tmpname()
   local text = g:todot(title)
   for _, ending in ipairs {'svg', 'dot'} do draw(text, title, 'dot', path .. '.' .. ending, parts(g)) end
   if shown then
      os.remove(path)
      io.stderr:write(('graph.dot: the drawing is %s.svg\n'):format(path))
   end
end
