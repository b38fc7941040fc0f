-- pl.config: files of settings: `key = value` lines, [sections], or plain columns of values.
--
-- Arguments: core, host, config. The package pl.stringx is loaded before.

local _, _, config = ...
local stringx = require 'pl.stringx'

-- config.lines(file or name): over the lines that are not blank or comments. A line that ends with a backslash goes on
-- in the next; lines that start with ; or # are left out.
function config.lines(source)
   local file, err = source or io.stdin, nil
   if type(source) == 'string' then
      file, err = io.open(source, 'r')
      if not file then return nil, err end
   elseif not file.read then
      return nil, 'not a file-like object'
   end
   local before = ''
   return function()
      for line in function() return file:read() end do
         if line:find '%S' and not line:find '^%s*[;#]' then
            local goes_on = line:match '^(.-)\\%s*$'
            if not goes_on then
               line, before = before .. line, ''
               return line
            end
            before = before .. goes_on
         end
      end
      if type(source) == 'string' then file:close() end
   end
end

local DEFAULTS = {variabilize = true, list_delim = ',', convert_numbers = true, convert_boolean = false,
                  trim_space = true, trim_quotes = false, ignore_assign = false, keysep = '='}

-- Guess the format from the first line of a file.
local function guess(line)
   if line:find '^[^=]+=' then return {keysep = '='} end
   if line:find '^[^:]+:' then return {keysep = ':', list_delim = ':'} end
   if line:find '^%S+%s+' then
      local columns = line:find '^%S+%s+%S+%s+%S+'
      return {keysep = ' ', list_delim = columns and ' ' or nil, variabilize = false}
   end
   return {}
end

local function converter(options, smart)
   local delimiter = options.list_delim
   if delimiter == ' ' then delimiter = '%s+' end
   local trim_quotes = options.trim_quotes

   local function convert(text)
      if delimiter and text:find(delimiter) then
         local items = {}
         for item in text:gmatch('[^' .. delimiter .. ']+') do
            local value = convert(item)
            items[#items + 1] = value
         end
         return items
      end
      if options.convert_numbers and text:find '^[%d%+%-]' then
         if not tonumber(text) and text:find ' kB$' then text = text:gsub(' kB', '') end
         if tonumber(text) then return tonumber(text) end
      elseif options.convert_boolean and (text == 'true' or text == 'false') then
         return text == 'true'
      end
      if options.trim_space then text = stringx.strip(text) end
      trim_quotes = trim_quotes or smart and text:find '^"'
      if trim_quotes then text = text:gsub('[\'"](.*)[\'"]', '%1') end
      return text
   end
   return convert
end

-- config.read(file or name[, options]): a table of the settings, or nil and an error. With `smart` the format is
-- guessed from the first line.
function config.read(source, options)
   local lines, err = config.lines(source)
   if not lines then return nil, err end
   local line, user_options = lines(), options or {}
   local guessed = user_options.smart and line and guess(line) or {}
   options = {}
   for name, default in pairs(DEFAULTS) do
      options[name] = default
      if user_options[name] ~= nil then options[name] = user_options[name] end
      if guessed[name] ~= nil then options[name] = guessed[name] end
   end
   local function named(key) return options.variabilize and key:gsub('%W', '_') or key end
   local convert = converter(options, user_options.smart)
   local separator = options.keysep == ' ' and '%s+' or '%s*' .. options.keysep .. '%s*'

   local all = {}
   local section = all
   while line do
      local name = line:match '^%[([^%]]+)%]'
      if name then
         section = {}
         all[named(name)] = section
      else
         line = stringx.lstrip(line)
         local first, last = line:find(separator)
         if first and not options.ignore_assign then
            section[named(line:sub(1, first - 1))] = convert(line:sub(last + 1))
         else
            table.insert(section, (convert(line)))
         end
      end
      line = lines()
   end
   return all
end
