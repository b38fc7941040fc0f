-- argcheck: functions that check their arguments by rules in a table.
--
-- Every way to call a function (with or without each optional argument, in order or by name) is a path of a tree, whose
-- steps are the arguments' types. Paths are laid down in one order and tried in one order, as the original's are; a
-- path that ends where another did replaces it.
--
-- Arguments: core {fail, istype}. Result: the function that `require` gives.

local core = ...
local fail = core.fail

local env, doc, checking = require 'argcheck.env', require 'argcheck.doc', require 'argcheck._call'
local optional, leads_to, every = checking.optional, checking.leads_to, checking.every
local trees = setmetatable({}, {__mode = 'k'})      -- of the functions that argcheck returned

---------------------------------------------------------------------------------------------------------
-- The tree

local function new_node(argument)
   return {type = argument.type, check = argument.check, name = argument.name}
end

local function step(node, argument)
   for _, child in ipairs(node) do
      if child.type == argument.type and child.check == argument.check and child.name == argument.name then return child end
   end
end

-- The steps of one style of call. `presence` says for each rule whether its argument is there, left out, or an explicit
-- nil.
local function steps_of(rules, presence, style)
   local steps = {}
   for position, rule in ipairs(rules) do
      local by_name = style == 'named' or style == 'method' and position > 1
      local name
      if by_name then name = rule.name end
      if presence[position] == 'there' then
         steps[#steps + 1] = {type = rule.type, check = rule.check, name = name}
      elseif presence[position] == 'nil' and style == 'ordered' then
         steps[#steps + 1] = {type = 'nil'}
      end
   end
   if style == 'named' then table.insert(steps, 1, {type = 'table'}) end
   if style == 'method' then table.insert(steps, 2, {type = 'table'}) end
   return steps
end

local function lay(tree, rules, presence, style)
   local node, steps, is_new = tree, steps_of(rules, presence, style), false
   for position, argument in ipairs(steps) do
      local child = step(node, argument)
      if not child then
         child, is_new = new_node(argument), true
         node[#node + 1] = child
      end
      node = child
      if style == 'method' and position == 1 then node.is_self = true end
   end
   if not is_new and node.rules and node.rules ~= rules and not rules.force then
      fail 'argcheck rules led to ambiguous situations'
   end
   node.rules, node.presence, node.style = rules, presence, style
end

-- All that rules allow, those with the most explicit nils first.
local function lay_all(tree, rules)
   local choices, number = {}, 1
   for position = #rules, 1, -1 do
      choices[position] = {count = optional(rules[position]) and 3 or 1, stride = number}
      number = number * choices[position].count
   end
   local states = {'there', 'left out', 'nil'}
   local named = rules[1] and rules[1].name == 'self' and 'method' or 'named'
   for variant = number - 1, 0, -1 do
      local presence = {}
      for position, choice in ipairs(choices) do
         presence[position] = states[math.floor(variant / choice.stride) % choice.count + 1]
      end
      if not rules.noordered then lay(tree, rules, presence, 'ordered') end
      if not rules.nonamed then lay(tree, rules, presence, named) end
   end
end

-- A snapshot of a tree: a function keeps the paths that existed when it was defined.
local function copy(node)
   local snapshot = {}
   for key, value in pairs(node) do
      snapshot[key] = type(key) == 'number' and copy(value) or value
   end
   for _, style in ipairs {'ordered', 'named', 'method'} do snapshot[style] = leads_to(node, style) or nil end
   return snapshot
end

---------------------------------------------------------------------------------------------------------
-- Rules

local TYPES = {name = 'string', type = 'string', help = 'string', doc = 'string', check = 'function',
               defaulta = 'string', defaultf = 'function'}

local function check_rules(rules)
   local function is(table, key, type_name, what)
      if table[key] ~= nil and type(table[key]) ~= type_name then
         fail('argcheck: %s of %s: a %s expected, got a %s', key, what, type_name, type(table[key]))
      end
   end
   if type(rules) ~= 'table' then fail('argcheck: a table of rules expected, got a %s', type(rules)) end
   if rules.noordered and rules.nonamed then fail 'argcheck: arguments neither in order nor by name' end
   for _, key in ipairs {'help', 'doc'} do is(rules, key, 'string', 'the rules') end
   for _, key in ipairs {'chain', 'overload'} do is(rules, key, 'function', 'the rules') end
   if rules.chain and rules.overload then fail 'argcheck: one of chain and overload expected' end
   if rules.doc and rules.help then fail 'argcheck: one of doc and help expected' end
   if rules.debug then fail 'argcheck: debug is not supported: no source is made for a function' end
   for position, rule in ipairs(rules) do
      if rule.name == nil or rule.type == nil then fail('argcheck: rule %d: a name and a type expected', position) end
      for key, type_name in pairs(TYPES) do is(rule, key, type_name, 'a rule') end
      local known = not rule.defaulta
      for _, other in ipairs(rules) do known = known or other.name == rule.defaulta end
      if not known then fail('argcheck: no argument <%s> for the default of <%s>', rule.defaulta, rule.name) end
   end
   local first = rules[1]
   if first and first.name == 'self' and (first.opt or first.default or first.defaulta or first.defaultf) then
      fail 'argcheck: self cannot be left out'
   end
end

-- Loaded from source, and without functions of ours as upvalues, so that it can be saved.
local make_checked = loadstring([[
   local tree, istype, quiet = ...
   return function(...)
      return (package.loaded['argcheck._call'] or require 'argcheck._call').run(tree, istype, quiet, ...)
   end
]], '=argcheck')

local function make(rules)
   check_rules(rules)
   if rules.doc or rules.help then doc(checking.of_rules(rules)) end
   local tree = {}
   local other = rules.overload or rules.chain
   if other then tree = trees[other] or fail 'argcheck: the function to overload is not one of argcheck' end
   lay_all(tree, rules)
   local quiet, istype = true
   if env.istype ~= core.istype then istype = env.istype end
   every(tree, function(node)
      if node.rules and not node.rules.quiet then quiet = false end
   end)
   local checked = make_checked(copy(tree), istype, quiet)
   trees[checked] = tree
   return checked
end

env.argcheck = make
return make
