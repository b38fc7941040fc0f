-- nngraph: graphs of modules written as function calls, `nn.Tanh()(nn.Linear(3, 4)(x))`.
--
-- A script's graph is made of Lua tables, as the original's was, and they count: `node.data.module` may be another
-- module at any time. Python has the graph in order, runs it, and keeps what the nodes take and get back; a node of
-- a finished graph asks for these when a script looks at `data.input`, `data.gradOutput` or `data.gradOutputBuffer`.
--
-- Arguments: core, host, nngraph with the functions of packages/nngraph/graph_functions.py, chunk, module.

local core, _, nngraph, chunk, module = ...
local handle_of, stand_in, fail = core.handle_of, core.stand_in, core.fail

local assign, describe, list_modules = nngraph.assign, nngraph.describe, nngraph.list_modules
local put_modules, watch_nodes, failed = nngraph.put_modules, nngraph.watch_nodes, nngraph.failed
local node_value, set_node_value, annotate = nngraph.node_value, nngraph.set_node_value, nngraph.annotate
for _, name in ipairs {'assign', 'describe', 'list_modules', 'put_modules', 'watch_nodes', 'failed', 'node_value',
                       'set_node_value', 'annotate'} do
   nngraph[name] = nil
end

local type, next, pairs, ipairs, rawget, rawset, insert = type, next, pairs, ipairs, rawget, rawset, table.insert
local setmetatable = setmetatable
local torch = torch
local typename = torch.typename

local is_node, check_nodes = chunk('nodes.lua')(core, nngraph, module)
chunk('drawing.lua')(nngraph, is_node, failed)

---------------------------------------------------------------------------------------------------------
-- gModule: the graph in Python

local GModule = torch.getmetatable('nn.gModule')

-- The state of a module in Python: handles of the modules at its nodes, their number, whether it reports.
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
      local data, saved = node.data, {}
      for key in next, VALUES do
         saved[key] = rawget(data, key)
         rawset(data, key, nil)
      end
      from_file[data] = next(saved) ~= nil and saved or nil
      setmetatable(data, mt)
      for key, value in next, saved do
         if key == 'gradOutputBuffer' or next(value) ~= nil then data[key] = value end
      end
   end
end

-- A node may hold an object of a program's own class that answers the protocol of modules without being one. What runs
-- the graph asks a module of this class, which asks the object.
local classes = {}
local Protocol, Module = torch.class('nngraph.ProtocolModule', 'nn.Module', classes)
local module_for = setmetatable({}, {__mode = 'k'})   -- object -> the module that asks it

function Protocol:__init(object)
   Module.__init(self)
   rawset(self, 'object', object)
end

function Protocol:updateOutput(input)
   self.output = self.object:updateOutput(input)
   return self.output
end

function Protocol:updateGradInput(input, gradOutput)
   self.gradInput = self.object:updateGradInput(input, gradOutput)
   return self.gradInput
end

function Protocol:accGradParameters(input, gradOutput, scale) self.object:accGradParameters(input, gradOutput, scale) end

function Protocol:parameters() return self.object:parameters() end

for _, name in ipairs {'training', 'evaluate', 'type', 'clearState', 'zeroGradParameters', 'updateParameters'} do
   local plain = Protocol[name]
   Protocol[name] = function(self, ...)
      local method = self.object[name]
      if not method then return plain(self, ...) end
      local result = method(self.object, ...)
      return result == self.object and self or result
   end
end

-- The module at a node, or false.
local function module_at(node)
   local owner = rawget(node.data, 'module')
   if owner == nil then return false end
   if handle_of[owner] or type(owner) ~= 'table' or typename(owner) == nil or torch.isTypeOf(owner, 'nn.Module') then
      return owner
   end
   local asked = module_for[owner]
   if not asked then
      asked = classes.ProtocolModule(owner)
      module_for[owner] = asked
   end
   return asked
end

local WEAK = {__mode = 'v'}

-- The modules of a graph in Python, node by node; false for a node without one.
local function note(m, nodes)
   local seen = setmetatable({count = #nodes, verbose = false}, WEAK)
   for i, node in ipairs(nodes) do
      local owner = module_at(node)
      if not owner or handle_of[owner] then seen[i] = owner end
   end
   known[m] = seen
   return seen
end

local function modules_of(nodes, walk)
   local modules = {}
   for i, node in ipairs(nodes) do
      local owner = module_at(node)
      if owner and walk then walk(owner) end
      modules[i] = owner
   end
   return modules
end

-- Send the graph to Python.
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

-- Before each call into Python, send the changes that the program made to the graph.
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
         local owner = module_at(nodes[i])
         if owner then
            at = at + 1
            if list[at] ~= owner then walk(owner) end
         end
         if seen[i] ~= owner then changed = true end
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

-- The graph of a module that was created in Python.
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

-- m:replace(f) does it at each node once, in Python; then the lists of all modules below, and the nodes of all graphs,
-- have what was put there.
local replace = GModule.replace
module.redefine(GModule, 'replace', function(self, callback)
   local put = {}   -- until the lists have them: Python does not keep fields that a program has added to a module
   local result = replace(self, function(m)
      local new = callback(m)
      put[#put + 1] = new
      return new
   end)
   for _, m in ipairs(self:listModules()) do
      module.adopt(m)
      local nodes = torch.isTypeOf(m, 'nn.gModule') and rawget(m, 'forwardnodes')
      if nodes then
         local modules = describe(m)
         for i, node in ipairs(nodes) do rawset(node.data, 'module', modules[i] or nil) end
         note(m, nodes)
      end
   end
   put = nil
   return result
end)

module.watch(GModule, check, complete, GRAPH)
