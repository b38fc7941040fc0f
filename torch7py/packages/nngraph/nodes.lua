-- nngraph: nodes, and the calls of modules that make them.
--
-- Arguments: core {fail}, nngraph, module. Returns is_node(x), and check_nodes(list, its name), an error for any other
-- value in the list.

local core, nngraph, module = ...
local fail = core.fail

local type, next, pairs, ipairs, select, rawget, rawset = type, next, pairs, ipairs, select, rawget, rawset
local unpack, tostring, insert, getinfo = unpack, tostring, table.insert, debug.getinfo
local torch, nn = torch, nn
local typename = torch.typename

local function is_node(x) return typename(x) == 'nngraph.Node' end

---------------------------------------------------------------------------------------------------------
-- Nodes

local Node, parent = torch.class('nngraph.Node', 'graph.Node')

-- '[file]:line', where the script is now.
local function call_site()
   for level = 2, 1000 do
      local info = getinfo(level, 'Sl')
      if not info then return '[?]:0' end
      if info.currentline > 0 and info.source:sub(1, 11) ~= '=[torch7py]' then
         return ('[%s]:%d'):format(info.short_src, info.currentline)
      end
   end
end

-- nngraph.Node(data): `data` is a table, and its entry `module` the node's module. `annotations` are its name,
-- description and attributes in drawings, `mapindex` the data of its input nodes with the index of each, and
-- `reverseMap` the nodes that use this one.
function Node:__init(data)
   parent.__init(self, data)
   data.annotations, data.mapindex = data.annotations or {}, data.mapindex or {}
   data.reverseMap = data.reverseMap or {}
   if not data.annotations._debugLabel then data.annotations._debugLabel = call_site() .. '_' end
end

-- node:add(other[, mapped]): use the other's output as input; `mapped` records its index in the input.
function Node:add(child, mapped)
   parent.add(self, child)
   if not mapped then return end
   local indices, users = self.data.mapindex, child.data.reverseMap
   if indices[child.data] then fail("Don't pass the same input twice.") end
   if users and users[self] then fail('this connection has already been made!') end
   insert(indices, child.data)
   indices[child.data] = #indices
   if users then users[self] = true end
end

-- node:split(n): a node for each entry of this node's output table.
function Node:split(count)
   if count == 1 then return nngraph.JustElement()(self) end
   local label = self.data.annotations._debugLabel or ''
   local split_node = nngraph.Node {
      nSplitOutputs = count, annotations = {_debugLabel = label .. ' split at ' .. call_site() .. '-mnode'}}
   split_node:add(self, true)
   local parts = {}
   for i = 1, count do
      parts[i] = nngraph.Node {selectindex = i, input = {}, annotations = {_debugLabel = label .. '-' .. i}}
      parts[i]:add(split_node, true)
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

local function source_names(inputs)
   local names = {}
   for i, data in ipairs(inputs) do names[i] = 'Node' .. (data.forwardNodeId or '') end
   return '{' .. table.concat(names, ',') .. '}'
end

-- node:label(): the entries of its data, by name, for drawings.
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

-- nngraph.nest{a, {b}, c}: a node with the table of these nodes' outputs.
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

return is_node, check_nodes
