-- xlua.unpack and xlua.usage: functions that take their arguments in order or by name.
--
-- Arguments: core, xlua. The package sys is loaded before.

local core, xlua = ...
local c = sys.COLORS

local BANNER = ('+'):rep(69)
local COLUMN = 40    -- where an argument's help begins

local function padded(text) return text .. (' '):rep(COLUMN - #text) end

local function named_argument(def)
   local key = def.arg .. ' = ' .. def.type
   local line = padded('    ' .. (def.req and key or '[' .. key .. ']')) .. '-- ' .. def.help
   if type(def.default) == 'table' then return line .. '  [default = ' .. xlua.table2string(def.default) .. ']' end
   if def.default ~= nil then return line .. '  [default = ' .. tostring(def.default) .. ']' end
   if def.defaulta then return line .. '  [default == ' .. def.defaulta .. ']' end
   return line
end

-- xlua.usage(name, description, example, ...): the help of a function. What follows describes its arguments:
-- tables {arg=, type=, help=, req=, default=} for named ones; without `arg` they are in order, and an empty string
-- separates alternative calls.
function xlua.usage(name, description, example, ...)
   local defs = {...}
   if defs[1].tabled then defs = defs[1].tabled end
   local lines = {BANNER, c.Magenta .. name .. c.none}
   local function add(line) lines[#lines + 1] = line end
   if description then
      add('')
      add(description)
   end
   add('')
   add(c.blue .. '> ' .. c.none .. 'usage:')
   if defs[1].arg then
      add(c.cyan .. name .. '{')
      for _, def in ipairs(defs) do add(named_argument(def)) end
      add('}')
   else
      local start, at = c.cyan, 1
      repeat
         add(start .. name .. '(')
         while defs[at] and defs[at] ~= '' do
            local def = defs[at]
            add(padded('    ' .. (def.req and def.type or '[' .. def.type .. ']')) .. '-- ' .. def.help)
            at = at + 1
         end
         add(')')
         start, at = '', at + 1
      until defs[at - 1] == nil
   end
   local text = table.concat(lines, '\n') .. '\n' .. c.none
   if example then text = text .. '\n' .. c.cyan .. example .. c.none .. '\n' end
   return text .. BANNER
end

-- The only argument of a call by name: a plain table without a list in it.
local function names(args)
   local first = args[1]
   if #args == 1 and type(first) == 'table' and #first == 0 and torch.typename(first) == nil then return first end
end

-- xlua.unpack({...}, name, description, ...): a table of the arguments by name and number, then each of them.
-- They come in order or as one table by name; a missing one is its default or, with `defaulta`, another argument; a
-- missing required one is an error with the usage.
function xlua.unpack(args, name, description, ...)
   local defs = {...}
   local usage = setmetatable({}, {__tostring = function()
      local example
      if #defs > 1 then
         example = ('%s{%s=%s, %s=%s}\n%s(%s, ...)'):format(name, defs[2].arg, defs[2].type, defs[1].arg, defs[1].type,
                                                             name, defs[1].type)
      end
      return xlua.usage(name, description, example, {tabled = defs})
   end})
   local function refuse()
      print(usage)
      xlua.error('error')
   end
   if #args == 0 then refuse() end
   local by_name = names(args)
   if not by_name then
      by_name = {}
      for i, def in ipairs(defs) do by_name[def.arg] = args[i] end
   end
   local values, n = {usage = usage}, #defs
   for i, def in ipairs(defs) do
      local value = by_name[def.arg]
      if value == nil and def.req then
         print(c.Red .. 'missing argument: ' .. def.arg .. c.none)
         refuse()
      end
      if value == nil then value = def.default end
      if value == nil and def.defaulta then value = values[def.defaulta] end
      values[def.arg], values[i] = value, value
   end
   return values, unpack(values, 1, n)
end

-- The same, the values also set as fields of an object.
function xlua.unpack_class(object, args, name, description, ...)
   for key, value in pairs((xlua.unpack(args, name, description, ...))) do
      if type(key) ~= 'number' then object[key] = value end
   end
end

-- xlua.usage_module(module, name, description): let tostring(module) be its help, which is returned.
function xlua.usage_module(module, name, description)
   local text = c.magenta .. BANNER .. '\nPACKAGE:\n' .. name .. '\n' .. (description and '\nDESC:\n' .. description .. '\n' or '')
                .. BANNER .. '+' .. c.none
   local mt = getmetatable(module) or {}
   setmetatable(module, mt)
   mt.__tostring = function() return text end
   return text
end
