-- argcheck: calls of the functions that it makes. A saved one finds this package by its name, wherever it is loaded.
--
-- Arguments: core {fail, istype}, host, argcheck._call (optional, leads_to, every, of_rules, run).

local core, _, checking = ...
local fail = core.fail
local usage = {}

---------------------------------------------------------------------------------------------------------
-- Messages about arguments

local function optional(rule)
   return rule.opt or rule.default ~= nil or rule.defaulta or rule.defaultf
end

local function default_of(rule)
   local value = rule.default
   if rule.defaulta then return string.format(' [defaulta=%s]', rule.defaulta) end
   if rule.defaultf then return ' [has default]' end
   if value == nil then return '' end
   if type(value) == 'string' or type(value) == 'number' or type(value) == 'boolean' then
      return string.format(' [default=%s]', tostring(value))
   end
   return ' [has default value]'
end

local function in_a_row(rules)
   local parts = {}
   for position, rule in ipairs(rules) do
      local may_be_left_out = rule.opt or rule.default ~= nil or rule.defaultf
      local text = (position == 1 and '' or ', ') .. rule.name
      parts[position] = may_be_left_out and '[' .. text .. ']' or text
   end
   return table.concat(parts)
end

local function as_a_table(rules)
   local widest, names, longest = 0, {}, 0
   for _, rule in ipairs(rules) do widest = math.max(widest, #rule.name) end
   for position, rule in ipairs(rules) do
      local left, right = ' ', ''
      if optional(rule) then left, right = '[', ']' end
      names[position] = left .. rule.name .. (' '):rep(widest - #rule.name) .. ' = ' .. rule.type .. right
      longest = math.max(longest, #names[position])
   end
   local lines = {'```', (rules.noordered and '' or '(') .. (rules.nonamed and '' or '{')}
   for position, rule in ipairs(rules) do
      local said = (rule.help or '') .. (rule.doc or '') .. default_of(rule)
      lines[#lines + 1] = string.format('  %s %s -- %s', names[position], (' '):rep(longest - #names[position]), said)
   end
   lines[#lines + 1] = (rules.nonamed and '' or '}') .. (rules.noordered and '' or ')')
   lines[#lines + 1] = '```'
   return table.concat(lines, '\n')
end

function usage.of_rules(rules)
   local text = rules.help or rules.doc
   if not text then return '\n*Arguments:*\n' .. as_a_table(rules) end
   text = text:gsub('@ARGP', function() return in_a_row(rules) end)
   return (text:gsub('@ARGT', function() return as_a_table(rules) end))
end

local function entries(named)
   local env, parts = require 'argcheck.env', {}
   for key, value in pairs(named) do
      if #parts == 20 then
         parts[21] = '...'
         break
      end
      parts[#parts + 1] = type(key) == 'string' and string.format('**%s=%s**', key, env.type(value))
         or string.format('**[%s]**=?', env.type(key))
   end
   return string.format('**table**={ %s }', table.concat(parts, ', '))
end

-- Whether a path of a style of call ('ordered', 'named', 'method') ends at a node or below it.
local function leads_to(node, style)
   if node.rules and node.style == style then return true end
   for _, child in ipairs(node) do
      if leads_to(child, style) then return true end
   end
   return false
end

local function every(node, f)
   f(node)
   for _, child in ipairs(node) do every(child, f) end
end

---------------------------------------------------------------------------------------------------------
-- Calls

-- The values of all arguments where a path ends, in the order of the rules, and their number.
local function fill(node, arguments, first)
   local rules, presence, values, waiting = node.rules, node.presence, {}, {}
   local from = first and 2 or 1                      -- `self` is passed on unchanged
   local passed = 0
   for position = from, #rules do
      local rule, state = rules[position], presence[position]
      if node.style == 'ordered' then
         if state ~= 'left out' then
            passed = passed + 1
            values[position] = arguments[passed]
         end
      elseif state == 'there' then
         values[position] = arguments[rule.name]
      end
      local has_value = rule.default or rule.defaulta or rule.defaultf
      if state == 'left out' or state == 'nil' and has_value then
         if rule.default ~= nil then
            values[position] = rule.default
         elseif rule.defaultf then
            values[position] = rule.defaultf()
         elseif not rule.opt and rule.defaulta then
            waiting[#waiting + 1] = position
         end
      end
   end
   for _, position in ipairs(waiting) do
      for other = from, #rules do
         if rules[other].name == rules[position].defaulta then
            values[position] = values[other]
            break
         end
      end
   end
   if first then values[1] = first.self end
   return values, rules, first
end

local function finish(values, rules, first)
   if rules.pack then
      local packed = {}
      for position = first and 2 or 1, #rules do packed[rules[position].name] = values[position] end
      if first then
         if rules.call and not rules.quiet then return rules.call(values[1], packed) end
         if rules.call then return rules.call, values[1], packed end
         if rules.quiet then return true, values[1], packed end
         return values[1], packed
      end
      values, rules = {packed}, {{}, call = rules.call, quiet = rules.quiet}
   end
   if rules.call and not rules.quiet then return rules.call(unpack(values, 1, #rules)) end
   if rules.call then return rules.call, unpack(values, 1, #rules) end
   if rules.quiet then return true, unpack(values, 1, #rules) end
   return unpack(values, 1, #rules)
end

-- The node where a path ends on these arguments: looked for from a node on, of whose step it is known that it fits.
local function walk(node, style, arguments, count, depth, istype)
   if not node[style] then return nil end
   if node.rules and node.style == style and count == 0 then return node end
   for _, child in ipairs(node) do
      if child[style] then
         local position = style == 'ordered' and depth + 1 or child.name
         local value, free = arguments[position], style ~= 'ordered' and child.type == 'nil'
         if (free or count > 0) and istype(value, child.type) and (not child.check or child.check(value)) then
            local leaf = walk(child, style, arguments, free and count or count - 1, depth + 1, istype)
            if leaf then return leaf end
         end
      end
   end
end

local function number_of(arguments)
   local count = 0
   for _ in pairs(arguments) do count = count + 1 end
   return count
end

local function match(tree, istype, count, ...)
   local arguments = {...}
   local leaf = walk(tree, 'ordered', arguments, count, 0, istype)
   if leaf then return leaf, arguments end
   local first, second = ...
   if tree.named and count == 1 and istype(first, 'table') then
      for _, child in ipairs(tree) do
         if child.type == 'table' and not child.check and not child.name then
            leaf = walk(child, 'named', first, number_of(first), 0, istype)
            if leaf then return leaf, first end
         end
      end
   end
   for _, head in ipairs(tree) do
      if head.is_self and count == 2 and istype(second, 'table') and istype(first, head.type)
         and (not head.check or head.check(first)) then
         for _, child in ipairs(head) do
            if child.type == 'table' and not child.check and not child.name then
               leaf = walk(child, 'method', second, number_of(second), 0, istype)
               if leaf then return leaf, second, {self = first} end
            end
         end
      end
   end
end

function usage.of_call(tree, count, ...)
   local env = require 'argcheck.env'
   local texts, seen = {}, {}
   every(tree, function(node)
      if node.rules and not seen[node.rules] then
         seen[node.rules] = true
         texts[#texts + 1] = usage.of_rules(node.rules)
      end
   end)
   local got = {}
   for position = 1, count do got[position] = string.format('**%s**', env.type((select(position, ...)))) end
   local named = leads_to(tree, 'named') and 1 or leads_to(tree, 'method') and 2
   if named and count == named and env.istype((select(named, ...)), 'table') then
      got[named] = entries((select(named, ...)))
   end
   return string.format('%s\n*Got:* %s\n', table.concat(texts, '\n\nor\n\n'), table.concat(got, ', '))
end


-- Call what a tree leads to. Of functions all of whose rules are quiet, `false` and a text are the answer to what does not fit.
function checking.run(tree, istype, quiet, ...)
   local count = select('#', ...)
   local node, arguments, first = match(tree, istype or core.istype, count, ...)
   if node then return finish(fill(node, arguments, first)) end
   local text = usage.of_call(tree, count, ...)
   if quiet then return false, text end
   fail('%s\ninvalid arguments!', text)
end

checking.optional, checking.leads_to, checking.every, checking.of_rules = optional, leads_to, every, usage.of_rules
