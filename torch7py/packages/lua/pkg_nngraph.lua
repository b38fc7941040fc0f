-- nngraph: graphs of modules written as function calls, `nn.Tanh()(nn.Linear(3, 4)(x))`.
--
-- A script's graph is made of Lua tables, as the original's was, and they count: `node.data.module` may be another
-- module at any time. Python has the graph in order, runs it, and keeps what the nodes take and get back; a node of
-- a finished graph asks for these when a script looks at `data.input`, `data.gradOutput` or `data.gradOutputBuffer`.
--
-- Arguments: core, host, nngraph with the functions of packages/nngraph/scripts.py, chunk, module.

local core, _, nngraph, _, module = ...
local handle_of, stand_in, fail = core.handle_of, core.stand_in, core.fail

local assign, describe, list_modules = nngraph.assign, nngraph.describe, nngraph.list_modules
local put_modules, watch_nodes, failed = nngraph.put_modules, nngraph.watch_nodes, nngraph.failed
local node_value, set_node_value, annotate = nngraph.node_value, nngraph.set_node_value, nngraph.annotate
for _, name in ipairs {'assign', 'describe', 'list_modules', 'put_modules', 'watch_nodes', 'failed', 'node_value',
                       'set_node_value', 'annotate'} do
   nngraph[name] = nil
end

local type, next, pairs, ipairs, select, rawget, rawset = type, next, pairs, ipairs, select, rawget, rawset
local setmetatable, getmetatable, unpack, tostring, insert = setmetatable, getmetatable, unpack, tostring, table.insert
local pcall, error, getinfo, getlocal = pcall, error, debug.getinfo, debug.getlocal
local torch, nn, graph = torch, nn, graph
local typename = torch.typename

local function is_node(x) return typename(x) == 'nngraph.Node' end

---------------------------------------------------------------------------------------------------------
-- Nodes

local Node, parent = torch.class('nngraph.Node', 'graph.Node')

-- '[file]:line', where the script is now.
local function place()
   for level = 2, 1000 do
      local info = getinfo(level, 'Sl')
      if not info then return '[?]:0' end
      if info.currentline > 0 and info.source:sub(1, 11) ~= '=[torch7py]' then
         return ('[%s]:%d'):format(info.short_src, info.currentline)
      end
   end
end

-- nngraph.Node(data): `data` is a table, and its entry `module` what the node stands for. `annotations` are its name,
-- description and attributes in drawings, `mapindex` the data of the nodes it takes with the place of each, and
-- `reverseMap` the nodes that take this one.
function Node:__init(data)
   parent.__init(self, data)
   data.annotations, data.mapindex = data.annotations or {}, data.mapindex or {}
   data.reverseMap = data.reverseMap or {}
   if not data.annotations._debugLabel then data.annotations._debugLabel = place() .. '_' end
end

-- node:add(other[, mapped]): take the other's output; mapped, its place in the input is noted.
function Node:add(child, mapped)
   parent.add(self, child)
   if not mapped then return end
   local places, users = self.data.mapindex, child.data.reverseMap
   if places[child.data] then fail("Don't pass the same input twice.") end
   if users and users[self] then fail('this connection has already been made!') end
   insert(places, child.data)
   places[child.data] = #places
   if users then users[self] = true end
end

-- node:split(n): a node for each entry of the table that this one gives.
function Node:split(count)
   if count == 1 then return nngraph.JustElement()(self) end
   local label = self.data.annotations._debugLabel or ''
   local whole = nngraph.Node {
      nSplitOutputs = count, annotations = {_debugLabel = label .. ' split at ' .. place() .. '-mnode'}}
   whole:add(self, true)
   local parts = {}
   for i = 1, count do
      parts[i] = nngraph.Node {selectindex = i, input = {}, annotations = {_debugLabel = label .. '-' .. i}}
      parts[i]:add(whole, true)
   end
   return unpack(parts)
end

-- node:annotate{name = ..., description = ..., graphAttributes = {...}}
function Node:annotate(annotations)
   for key, value in pairs(annotations) do self.data.annotations[key] = value end
   return self
end

function Node:graphNodeName()
   local name = self.data.annotations.name
   return name and ('%s (%s)'):format(name, self.id) or 'Node' .. self.id
end

function Node:graphNodeAttributes()
   local annotations = self.data.annotations
   annotations.graphAttributes = annotations.graphAttributes or {}
   local attributes = annotations.graphAttributes
   attributes.tooltip = attributes.tooltip or annotations._debugLabel
   return attributes
end

local function warning(tensor)
   if tensor:nElement() == 0 then return '' end
   if tensor:ne(tensor):sum() > 0 then return 'NaN' end
   if tensor:max() == math.huge then return 'inf' end
   if tensor:min() == -math.huge then return '-inf' end
   return ''
end

local function text_of(value)
   if not value then return '' end
   if torch.isTensor(value) then
      local kind = value:type() == torch.getdefaulttensortype() and 'Tensor' or value:type()
      return ('%s[%s]%s'):format(kind, table.concat(value:size():totable(), 'x'), warning(value))
   end
   if type(value) == 'table' and not typename(value) then
      local parts = {}
      for i, item in ipairs(value) do parts[i] = text_of(item) end
      return '{' .. table.concat(parts, ',') .. '}'
   end
   return (tostring(value):gsub('\n', '\\l'))
end

local function source_names(places)
   local names = {}
   for i, data in ipairs(places) do names[i] = 'Node' .. (data.forwardNodeId or '') end
   return '{' .. table.concat(names, ',') .. '}'
end

-- node:label(): what its data says, by name, for drawings.
function Node:label()
   local lines, keys = {}, {}
   for key in pairs(self.data) do insert(keys, key) end
   table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
   for _, key in ipairs(keys) do
      local value = self.data[key]
      if key == 'mapindex' then
         if #value > 1 then insert(lines, key .. ' = ' .. source_names(value)) end
      elseif key ~= 'forwardNodeId' and key ~= 'annotations' then
         insert(lines, key .. ' = ' .. text_of(value))
      end
   end
   local description = self.data.annotations.description
   return (description and 'desc = ' .. description .. '\\n' or '') .. table.concat(lines, '\\l')
end

---------------------------------------------------------------------------------------------------------
-- Calls that make nodes

local function refuse(value, list, index)
   if value == nil then fail('%s[%d] is nil (typo / bad index?)', list, index) end
   if torch.isTypeOf(value, 'nn.Module') then
      fail('%s[%d] is an nn.Module, specifically a %s, but the only valid thing to pass is an instance of '
           .. 'nngraph.Node. Did you forget a second set of parens, which convert a nn.Module to a nngraph.Node?',
           list, index, torch.type(value))
   end
   fail('%s[%d] should be an nngraph.Node but is of type %s', list, index, torch.type(value))
end

local function check_nodes(nodes, list)
   for i = 1, table.maxn(nodes) do
      if not is_node(nodes[i]) then refuse(nodes[i], list, i) end
   end
end

local Module, Criterion = torch.getmetatable('nn.Module'), torch.getmetatable('nn.Criterion')

-- m(), m(node), m{node, ...}: the node of a module.
function Module:__call__(...)
   local count, input = select('#', ...), (...)
   if count > 1 then fail('Use {input1, input2} to pass multiple inputs.') end
   if count == 1 and input == nil then refuse(nil, 'inputs', 1) end
   if type(input) == 'table' and next(input) == nil then
      fail('cannot pass an empty table of inputs. To indicate no incoming connections, '
           .. 'leave the second set of parens blank.')
   end
   local inputs = type(input) == 'table' and not typename(input) and input or {input}
   check_nodes(inputs, 'inputs')
   local node = nngraph.Node {module = self}
   for i = 1, table.maxn(inputs) do node:add(inputs[i], true) end
   return node
end

function Criterion:__call__(...) return nn.ModuleFromCriterion(self)(...) end
for _, heir in ipairs(module.heirs(Criterion)) do
   if rawget(heir, '__call__') then rawset(heir, '__call__', Criterion.__call__) end
end

-- `-m` is `m()`, and `a - m` is `m(a)`.
local function follow(previous, following) return following(previous) end
function Module:__unm__() return self() end
Module.__sub__, Node.__sub__ = follow, follow

-- nngraph.nest{a, {b}, c}: a node that gives the table of these nodes' outputs.
local function nest(input)
   if is_node(input) then return input end
   if type(input) ~= 'table' or typename(input) or #input == 0 then
      fail('what is this in the nest input? %s', tostring(input))
   end
   if #input == 1 then return nngraph.JustTable()(nest(input[1])) end
   local parts = {}
   for i, part in ipairs(input) do parts[i] = nest(part) end
   return nn.Identity()(parts)
end

function nngraph.nest(...)
   if select('#', ...) > 1 then fail('Use {input1, input2} to pass multiple inputs.') end
   if (...) == nil then fail('Pass an input.') end
   return nest((...))
end

---------------------------------------------------------------------------------------------------------
-- gModule: what Python has of its graph

local GModule = torch.getmetatable('nn.gModule')

-- What Python knows of a module: handles of the modules at its nodes, their number, whether it reports.
local known = setmetatable({}, {__mode = 'k'})

local VALUES = {input = true, gradOutput = true, gradOutputBuffer = true}

-- data of a node -> the tables that it had in a file for its values: saved again as these while they hold the same.
local from_file = setmetatable({}, {__mode = 'k'})

-- Whether two tables of tensors, and of such tables, hold the same tensors.
local function alike(a, b)
   if type(a) ~= 'table' or type(b) ~= 'table' or typename(a) or typename(b) or #a ~= #b then return a == b end
   for i = 1, #a do
      if not alike(a[i], b[i]) then return false end
   end
   return true
end

-- Let the data of the nodes ask Python for their values; those that stand in them (in what was loaded, say) go there.
local function bind(m, nodes)
   local handle, number_of = handle_of[m], setmetatable({}, {__mode = 'k'})
   local mt = {}
   for i, node in ipairs(nodes) do number_of[node.data] = i end

   function mt.__index(data, key)
      local owner = VALUES[key] and stand_in[handle]
      if owner then return node_value(owner, number_of[data], key) end
   end
   function mt.__newindex(data, key, value)
      local owner = VALUES[key] and stand_in[handle]
      if owner then return set_node_value(owner, number_of[data], key, value) end
      rawset(data, key, value)
   end
   function mt.__pairs(data)
      local all = {}
      for key, value in next, data do all[key] = value end
      for key in next, VALUES do all[key] = data[key] end
      return next, all, nil
   end
   function mt.__saved(data)
      local all, before, owner = {}, from_file[data] or {}, stand_in[handle]
      for key, value in next, data do all[key] = value end
      for key in next, VALUES do
         local now, held = data[key], before[key]
         if held ~= nil and alike(held, now == nil and {} or now) then now = held end
         all[key] = now
      end
      local output = owner and number_of[data] == #nodes and owner.output
      if type(output) == 'table' and all.input ~= nil and alike(output, all.input) then all.input = output end
      return all
   end

   for _, node in ipairs(nodes) do
      local data, found = node.data, {}
      for key in next, VALUES do
         found[key] = rawget(data, key)
         rawset(data, key, nil)
      end
      from_file[data] = next(found) ~= nil and found or nil
      setmetatable(data, mt)
      for key, value in next, found do
         if key == 'gradOutputBuffer' or next(value) ~= nil then data[key] = value end
      end
   end
end

local function note(m, nodes)
   local seen = {count = #nodes, verbose = false}
   for i, node in ipairs(nodes) do
      local owner = rawget(node.data, 'module')
      seen[i] = owner and handle_of[owner] or 0
   end
   known[m] = seen
   return seen
end

local function modules_of(nodes, walk)
   local modules = {}
   for i, node in ipairs(nodes) do
      local owner = rawget(node.data, 'module')
      if owner and walk then walk(owner) end
      modules[i] = owner or false
   end
   return modules
end

-- Tell Python the whole graph.
local function give_graph(m, walk)
   local nodes, backward = m.forwardnodes, m.backwardnodes
   local index = {}
   for i, node in ipairs(nodes) do index[node.data] = i end
   local modules = modules_of(nodes, walk)
   local selects, splits, counts, sources, order, annotations = {}, {}, {}, {}, {}, {}
   for i, node in ipairs(nodes) do
      local data = node.data
      selects[i], splits[i] = data.selectindex or false, data.nSplitOutputs or false
      counts[i], annotations[i] = #data.mapindex, data.annotations or {}
      for _, source in ipairs(data.mapindex) do insert(sources, index[source]) end
   end
   for i, node in ipairs(backward) do order[i] = index[node.data] end
   local inputs = m.nInputs   -- which the first versions did not count
   if not inputs or inputs == 0 then inputs = #m.innode.children end
   assign(m, modules, selects, splits, counts, sources, order, inputs, annotations)
   bind(m, nodes)
   return note(m, nodes)
end

local function report(m, number) print(' V : ' .. m.forwardnodes[number]:label()) end

-- On every way into Python: hand over what the script has done to the graph.
local function check(m, walk)
   local nodes = rawget(m, 'forwardnodes')
   if type(nodes) ~= 'table' then return end
   local seen = known[m]
   if not seen or seen.count ~= #nodes then
      seen = give_graph(m, walk)
      local list = rawget(m, 'modules')
      if type(list) ~= 'table' or next(list) == nil then   -- the first versions had no list
         list_modules(m)
         module.adopt(m)
      end
   else
      local list, at, changed = m.modules, 0, false
      for i = 1, seen.count do
         local owner = rawget(nodes[i].data, 'module')
         if owner then
            at = at + 1
            if list[at] ~= owner then walk(owner) end
         end
         if seen[i] ~= (owner and handle_of[owner] or 0) then changed = true end
      end
      if changed then
         put_modules(m, modules_of(nodes, walk))
         local verbose = seen.verbose
         seen = note(m, nodes)
         seen.verbose = verbose
      end
   end
   local verbose = rawget(m, 'verbose') and true or false
   if verbose ~= seen.verbose then
      watch_nodes(m, verbose and report or nil)
      seen.verbose = verbose
   end
end

---------------------------------------------------------------------------------------------------------
-- gModule: its graph in Lua

local function set_graph(m, fields)
   for name, value in next, fields do rawset(m, name, value) end
   for _, node in ipairs(fields.forwardnodes) do node.data.forwardNodeId = node.id end
end

-- The graph of a module that was made in Python.
local function rebuild(m)
   local modules, selects, splits, counts, sources, backward, annotations = describe(m)
   local nodes, at, start = {}, 0, nil
   for i = 1, #modules do
      local is_end = counts[i] == 0 and not modules[i] or i == #modules
      local node = nngraph.Node {
         module = modules[i] or nil, selectindex = selects[i] or nil, nSplitOutputs = splits[i] or nil,
         annotations = annotations[i], input = (is_end or selects[i]) and {} or nil}
      nodes[i] = node
      for _ = 1, counts[i] do
         at = at + 1
         node:add(nodes[sources[at]], true)
      end
      if counts[i] == 0 and not modules[i] then start = i end
   end
   if #nodes == 0 then return end
   local bg = nodes[#nodes]:graph()
   local fg, copies = bg:reverse()
   local forward = {}
   for i, node in ipairs(nodes) do forward[i] = copies[node] end
   for i, number in ipairs(backward) do backward[i] = nodes[number] end
   set_graph(m, {bg = bg, fg = fg, innode = forward[start], outnode = nodes[#nodes], verbose = false,
                 forwardnodes = forward, backwardnodes = backward})
   bind(m, forward)
   note(m, forward)
end

local GRAPH = {bg = true, fg = true, innode = true, outnode = true, verbose = true, forwardnodes = true,
               backwardnodes = true}

local function complete(m)
   if not handle_of[m] then return end
   local nodes = rawget(m, 'forwardnodes')
   if nodes == nil then
      rebuild(m)
   elseif known[m] and known[m].count == #nodes then
      local annotations = {}
      for i, node in ipairs(nodes) do annotations[i] = node.data.annotations or {} end
      annotate(m, annotations)
   end
end

rawset(GModule, '__index__', function(m, key)
   if GRAPH[key] and rawget(m, 'forwardnodes') == nil then
      complete(m)
      return rawget(m, key), true
   end
end)

-- A graph without a node that leads nowhere, or an entry of a split that nobody takes.
local function check_graph(nodes)
   local later = {}
   for i = #nodes, 1, -1 do
      local data, children = nodes[i].data, #nodes[i].children
      if data.nSplitOutputs and data.nSplitOutputs ~= children then
         fail('%s of split(%s) outputs from the node declared at %s are unused', data.nSplitOutputs - children,
              data.nSplitOutputs, data.annotations._debugLabel)
      end
      for successor in pairs(data.reverseMap) do
         if not later[successor.data] then
            fail('node declared on %s does not connect to gmodule output', successor.data.annotations._debugLabel)
         end
      end
      later[data] = true
   end
end

local initialize = GModule.__init

function GModule.__init(self, inputs, outputs)
   if type(inputs) ~= 'table' or type(outputs) ~= 'table' then
      fail('nn.gModule expects a table of input nodes and a table of output nodes')
   end
   check_nodes(outputs, 'outputs')
   check_nodes(inputs, 'inputs')
   if #inputs == 0 then fail('no inputs are not supported') end
   if #outputs == 0 then fail('nn.gModule needs an output') end
   initialize(self)

   local out = nngraph.Node {input = {}}
   for _, node in ipairs(outputs) do out:add(node, true) end
   local start = nngraph.Node {input = {}}
   local entries = #inputs == 1 and {start} or {start:split(#inputs)}
   for i, node in ipairs(inputs) do
      if #inputs > 1 and #node.children > 0 then fail('an input should have no inputs') end
      node:add(entries[i], true)
   end

   local bg = out:graph()
   local fg = bg:reverse()
   local innode
   for _, root in ipairs(fg:roots()) do
      if root.data == start.data then
         innode = root
      else
         local owner = root.data.module
         if torch.type(owner) ~= 'nnop.Parameters' then
            fail('expecting only one start: the node declared at %s takes nothing and is not an input',
                 root.data.annotations._debugLabel)
         end
      end
   end
   if not innode then fail('input node not found among roots') end
   local forward, backward = fg:topsort(), bg:topsort()
   check_graph(forward)

   self.nInputs = #inputs
   set_graph(self, {bg = bg, fg = fg, innode = innode, outnode = out, verbose = false, forwardnodes = forward,
                    backwardnodes = backward})
   give_graph(self, module.walk)
   list_modules(self)
   module.adopt(self)
end

-- m:replace(f) leaves the nodes, of all graphs in m, with the modules that Python has put in place.
local Module = torch.getmetatable('nn.Module')
local replace = Module.replace
module.redefine(Module, 'replace', function(self, callback)
   local result = replace(self, callback)
   for _, m in ipairs(self:listModules()) do
      local nodes = torch.isTypeOf(m, 'nn.gModule') and rawget(m, 'forwardnodes')
      if nodes then
         local modules = describe(m)
         for i, node in ipairs(nodes) do rawset(node.data, 'module', modules[i] or nil) end
         note(m, nodes)
      end
   end
   return result
end)

module.watch(GModule, check, complete, GRAPH)

---------------------------------------------------------------------------------------------------------
-- Looking at graphs

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

-- nngraph.display(m): draw the graph and show the drawing with the desktop's own program.
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
   local made = graph.Graph()
   local copies = {}
   for _, node in ipairs(shown) do copies[node] = node.new(node.data) end
   for _, edge in ipairs(edges) do made:add(graph.Edge(copies[edge[1]], copies[edge[2]])) end
   graph.dot(made, title, path)
end
