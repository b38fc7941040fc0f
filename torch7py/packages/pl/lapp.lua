-- pl.lapp: a program's options, read from the text of its help.
--
--   local opt = lapp [[
--   Train a model
--     -s,--save       (default "logs")      where to save
--     -r,--rate       (default 0.05)        learning rate
--     -f,--full                             use all data
--     --optimizer     (sgd|adam default sgd)
--     --epochs        (1..100)
--     <data>          (string)              where the data are
--     <more...>       (optional string)
--   ]]
--
-- Arguments: core {fail}, host, lapp.

local core, _, lapp = ...
local fail = core.fail

lapp.callback = false
lapp.show_usage_error = true     -- false: no usage after a message; 'throw': an error instead of the end

local usage = ''
local types = {}                 -- by name: {converter, constraint}, from lapp.add_type
local BUILT_IN = {string = true, number = true, boolean = true, ['file-in'] = 'r', ['file-out'] = 'w'}
local STREAMS = {stdin = 'file-in', stdout = 'file-out', stderr = 'file-out'}

local function trim(s) return (s:gsub('^%s+', ''):gsub('%s+$', '')) end

local function script()
   local name = arg and arg[0] or rawget(_G, 'LAPP_SCRIPT') or 'unknown'
   return (name:gsub('.+[\\/]', ''):gsub('%.%a+$', ''))
end

-- lapp.quit([message[, no_usage]]): end the program.
function lapp.quit(message, no_usage)
   if no_usage == 'throw' then fail('%s', message) end
   if message then io.stderr:write(message, '\n\n') end
   if not no_usage then io.stderr:write(usage) end
   os.exit(1)
end

function lapp.error(message, no_usage)
   local shown = lapp.show_usage_error
   local how = shown == 'throw' and shown or not shown or no_usage
   lapp.quit(script() .. ': ' .. message, how)
end

function lapp.assert(condition, message)
   if not condition then lapp.error(message) end
end

function lapp.open(name, mode)
   local file, err = io.open(name, mode)
   if not file then lapp.error(err, true) end
   return file
end

-- lapp.add_type(name, converter[, constraint]): a type of values; the converter is a function or a type's name.
function lapp.add_type(name, converter, constraint)
   types[name] = {converter = converter, constraint = constraint}
end

---------------------------------------------------------------------------------------------------------
-- The text

-- Set the fields of a parameter from its type. A type is a name, a range 'a..b' or a choice 'a|b'.
local function set_type(parameter, name)
   local low, high = name:match('^([%d.eE+-]-)%.%.([%d.eE+-]+)$')
   if low then
      low, high = tonumber(low), tonumber(high)
      parameter.type = 'number'
      parameter.constraint = function(x)
         lapp.assert(low <= x and x <= high, parameter.key .. ' out of range')
      end
   elseif name:find('|', 1, true) then
      parameter.type = 'string'
      parameter.constraint = function(s)
         lapp.assert(('|' .. name .. '|'):find('|' .. s .. '|', 1, true), ("value '%s' not in %s"):format(s, name))
      end
   else
      local custom = types[name]
      if not custom and BUILT_IN[name] == nil then lapp.error(name .. ' is unknown type') end
      parameter.type = name
      if custom then
         parameter.constraint = custom.constraint
         if type(custom.converter) == 'string' then
            parameter.type = custom.converter
         else
            parameter.converter = custom.converter
         end
      end
   end
end

local function set_default(parameter, text)
   parameter.default_text = text
   local number = (parameter.type == nil or parameter.type == 'number') and tonumber(text)
   if number then
      parameter.default, parameter.type = number, 'number'
   elseif STREAMS[text] then
      parameter.default, parameter.type = io[text], STREAMS[text]
   elseif text == 'true' and not parameter.type then
      parameter.default, parameter.type = true, 'boolean'
   else
      if text:find('^["\']') then text = text:sub(2, -2) end
      parameter.type = parameter.type or 'string'
      parameter.default = parameter.converter and parameter.converter(text) or text
   end
end

-- The text in parentheses: [optional] [type] [default value].
local function set_spec(parameter, spec)
   local word, rest = trim(spec):match('^(%S+)%s*(.-)$')
   if word == 'optional' then
      parameter.optional = true
      word, rest = rest:match('^(%S+)%s*(.-)$')
   end
   if word and word ~= 'default' then
      set_type(parameter, word)
      word, rest = rest:match('^(default)%s+(.-)$')
   end
   if word == 'default' then
      if rest == '' then lapp.error('value must follow default') end
      set_default(parameter, rest)
   end
end

-- The declaration in a line of the text: the parameter, and the short name of an option; nil for other lines.
local function declaration(line)
   line = trim(line)
   local short, long, rest = line:match('^%-([%a_][%w_]*),%s*%-%-(%a[%w_%-]*)(.*)$')
   if not short then short, rest = line:match('^%-([%a_][%w_]*)(.*)$') end
   if not short then long, rest = line:match('^%-%-(%a[%w_%-]*)(.*)$') end
   local positional
   if not short and not long then positional, rest = line:match('^(%b<>)(.*)$') end
   if not rest then return nil end
   local several
   if positional then
      positional, several = positional:sub(2, -2):gsub('%.%.%.$', '')
      long = positional:gsub('%W', '_')
   else
      rest, several = rest:gsub('^%s*%.%.%.', '', 1)
   end
   if short and #short > 1 and not lapp.slack then lapp.error(short .. ': short parameters should be one character') end
   local parameter = {key = (long or short):gsub('%-', '_'), several = several > 0, positional = positional ~= nil}
   local spec = trim(rest):match('^(%b())')
   if spec then
      set_spec(parameter, spec:sub(2, -2))
   else
      parameter.type, parameter.default = 'boolean', false
   end
   return parameter, long and short, long or short
end

---------------------------------------------------------------------------------------------------------
-- The words

local function convert(parameter, value)
   if parameter.converter then value = parameter.converter(value) end
   if parameter.type == 'number' then
      local number = tonumber(value)
      if not number then lapp.error('unable to convert to number: ' .. value) end
      value = number
   elseif parameter.type == 'file-in' or parameter.type == 'file-out' then
      value = lapp.open(value, BUILT_IN[parameter.type])
   end
   if parameter.constraint then parameter.constraint(value) end
   return value
end

local function put(results, parameter, key, value)
   if not parameter.several then
      results[key] = value
   elseif value ~= nil then
      results[key] = results[key] or {}
      table.insert(results[key], value)
   end
end

-- The words, with joined options split: '--a=b' is '--a', 'b'; '-xb' is '-x', 'b' or '-x', '-b'.
local function next_word(words, i, find)
   local word = words[i]
   local name = word:match('^%-%-?(.+)$')
   local at = name and name:find('[=:]')
   if word:find('^%-%-') then
      if not at then return name end
      table.insert(words, i + 1, name:sub(at + 1))
      return name:sub(1, at - 1)
   end
   if #name == 1 or find(name) then return name end
   if at then
      table.insert(words, i + 1, name:sub(at + 1))
      return name:sub(1, at - 1)
   end
   local first = find(name:sub(1, 1))
   if first and first.type ~= 'boolean' then
      table.insert(words, i + 1, name:sub(2))
   else
      for k = 2, #name do table.insert(words, i + k - 1, '-' .. name:sub(k, k)) end
   end
   return name:sub(1, 1)
end

-- lapp.process_options_string(text[, words]): the values by name; other words by number.
function lapp.process_options_string(text, words)
   usage = text
   words = {unpack(words or arg)}
   for _, word in ipairs(words) do
      if word == '-h' or word == '--help' then return lapp.quit() end
   end
   local known, named, positional = {}, {}, {}
   for line in text:gmatch('([^\n]*)\n') do
      local parameter, short, name = declaration(line)
      if parameter then
         known[#known + 1] = parameter
         named[name] = parameter
         if short then named[short] = parameter end
         if parameter.positional then positional[#positional + 1] = parameter end
      end
   end
   local function find(name) return named[name] or named[name:gsub('_', '-')] end

   local results, used, i, at, extra, options = {}, {}, 1, 1, 0, true
   while i <= #words do
      local word, parameter, value = words[i], nil, nil
      local key
      if options and word == '--' then
         options, at = false, #positional + 1
      else
         if options and word:find('^%-.') then
            local name = next_word(words, i, find)
            parameter = find(name)
            if not parameter then
               if name == 'h' or name == 'help' then lapp.quit() end
               lapp.error('unrecognized parameter: ' .. name)
            end
            if parameter.type == 'boolean' then
               value = not parameter.default
            else
               i = i + 1
               value = words[i]
               lapp.assert(value, parameter.key .. ' was expecting a value')
            end
         else
            parameter, value = positional[at], word
            if not parameter then
               extra = extra + 1
               parameter, key = {type = 'string'}, extra
            elseif not parameter.several then
               at = at + 1
            end
         end
         key = key or parameter.key
         used[parameter] = true
         if parameter.type == 'file-in' or parameter.type == 'file-out' then
            put(results, parameter, key .. '_name', value)
         end
         put(results, parameter, key, parameter.type == 'boolean' and value or convert(parameter, value))
         if lapp.callback then lapp.callback(key, word, {}) end
      end
      i = i + 1
   end
   for _, parameter in ipairs(known) do
      if not used[parameter] then
         if parameter.default == nil and not parameter.optional then
            lapp.error('missing required parameter: ' .. parameter.key)
         end
         put(results, parameter, parameter.key, parameter.default)
         if parameter.type == 'file-in' or parameter.type == 'file-out' then
            put(results, parameter, parameter.key .. '_name', parameter.default_text)
         end
      end
   end
   return results
end

setmetatable(lapp, {__call = function(_, text, words) return lapp.process_options_string(text, words) end})
