-- torch.CmdLine: a program's options and arguments, its help, its log.
--
-- Uses the globals print, io and os as they are when a method is called.
--
-- Arguments: core {fail}, host, torch.

local core, _, torch = ...
local fail = core.fail

local CmdLine = torch.class('torch.CmdLine', torch)

-- An option's or argument's key without its dashes.
local function bare(key) return (key:gsub('^%-+', '')) end

function CmdLine:__init(argument_separator, key_separator)
   self.argseparator = argument_separator or ','
   self.keyseparator = key_separator or '='
   self.options = {}        -- by key
   self.arguments = {}      -- in order
   self.helplines = {}      -- options, arguments and texts in order
   self.dateformat = nil
   self.silentio = false
end

---------------------------------------------------------------------------------------------------------
-- Declarations

-- cmd:option(key, default[, help[, type]]): -key VALUE; a boolean takes no value and negates its default.
function CmdLine:option(key, default, help, kind)
   if default == nil then fail("torch.CmdLine: the option %s has no default value", tostring(key)) end
   kind = kind or type(default)
   if type(default) ~= kind then
      fail("torch.CmdLine: the default of option %s is a %s, not a %s", key, type(default), kind)
   end
   self.options[key] = {key = key, default = default, help = help, type = kind}
   table.insert(self.helplines, self.options[key])
end

-- cmd:argument(key[, help[, type]]): one more value that must be given.
function CmdLine:argument(key, help, kind)
   local argument = {key = key, help = help, type = kind}
   table.insert(self.arguments, argument)
   table.insert(self.helplines, argument)
end

-- cmd:text([line]): a line of the help.
function CmdLine:text(line)
   line = line or ''
   if type(line) ~= 'string' then fail('torch.CmdLine:text expects a string, not a %s', type(line)) end
   table.insert(self.helplines, line)
end

---------------------------------------------------------------------------------------------------------
-- Reading

-- The default values.
function CmdLine:default()
   local values = {}
   for key, option in pairs(self.options) do values[bare(key)] = option.default end
   return values
end

-- End the program because of its arguments.
function CmdLine:error(message)
   print('')
   io.stderr:write(message)
   print('')
   self:help()
   os.exit(1)
end

-- How many words an argument or option took from the list at i.
function CmdLine:__readArgument__(values, list, i, number)
   local argument, value = self.arguments[number], list[i]
   if not argument then self:error('invalid argument: ' .. value) end
   if argument.type and type(value) ~= argument.type then
      self:error(('invalid argument type for argument %s (should be %s)'):format(argument.key, argument.type))
   end
   values[bare(argument.key)] = value
   return 1
end

function CmdLine:__readOption__(values, list, i)
   local key = list[i]
   local option = self.options[key]
   if not option then self:error('unknown option ' .. key) end
   local kind = option.type
   if kind == 'boolean' then
      values[bare(key)] = not option.default
      return 1
   end
   local value = list[i + 1]
   if not value then self:error('missing argument for option ' .. key) end
   if kind == 'number' then
      value = tonumber(value)
   elseif kind and kind ~= 'string' then
      self:error('unknown required option type ' .. kind)
   end
   if not value then self:error(('invalid type for option %s (should be %s)'):format(key, kind)) end
   values[bare(key)] = value
   return 2
end

local HELP = {['-h'] = true, ['-help'] = true, ['--help'] = true}

-- cmd:parse(arg): a table of the values by bare key.
function CmdLine:parse(list)
   if type(list) ~= 'table' then fail('torch.CmdLine:parse expects a list of words, not a %s', type(list)) end
   local values = self:default()
   local i, number = 1, 0
   while i <= #list do
      if HELP[list[i]] then
         self:help(list)
         os.exit(0)
      end
      if self.options[list[i]] then
         i = i + self:__readOption__(values, list, i)
      else
         number = number + 1
         i = i + self:__readArgument__(values, list, i, number)
      end
   end
   if number ~= #self.arguments then self:error('not enough arguments') end
   return values
end

---------------------------------------------------------------------------------------------------------
-- Writing

-- cmd:help([arg]): the help, with the program's name first if the list of words is given.
function CmdLine:help(list)
   io.write('Usage: ', list and list[0] and list[0] .. ' ' or '', '[options]')
   for _, argument in ipairs(self.arguments) do io.write(' <', bare(argument.key), '>') end
   io.write('\n')
   local names, width = {}, 0
   for _, line in ipairs(self.helplines) do
      if type(line) == 'table' then
         names[line] = line.default ~= nil and line.key or '<' .. bare(line.key) .. '>'
         width = math.max(width, #names[line])
      end
   end
   for _, line in ipairs(self.helplines) do
      if type(line) == 'table' then
         io.write('  ', names[line], (' '):rep(width - #names[line]))
         if line.help then io.write(' ', line.help) end
         if line.default ~= nil then io.write(' [', tostring(line.default), ']') end
         io.write('\n')
      else
         io.write(line, '\n')
      end
   end
end

-- cmd:string(prefix, values, ignore): a name for a run, of the arguments and of the options that are not at
-- their defaults. Options in `ignore` are left out if their entry is true, and always included if it is false.
function CmdLine:string(prefix, values, ignore)
   ignore = ignore or {}
   local index_of = {}
   for i, argument in ipairs(self.arguments) do index_of[bare(argument.key)] = i end
   local arguments, options = {}, {}
   for key, value in pairs(values) do
      local option = self.options['-' .. key]
      if ignore[key] then
         print('-- ignore option ' .. key)
      elseif option then
         if value ~= option.default or ignore[key] == false then
            if type(value) == 'boolean' then value = value and 't' or 'f' end
            table.insert(options, key .. self.keyseparator .. value)
            print(key, value, option.default)
         end
      elseif index_of[key] then
         arguments[index_of[key]] = key .. self.keyseparator .. value
      else
         print('WARNING: unknown option/argument: ' .. key .. ' IGNORING for DIRECTORY NAME')
      end
   end
   table.sort(options)
   local parts = {}
   for _, part in ipairs {prefix or '', table.concat(arguments, self.argseparator)} do
      if part ~= '' or #parts == 0 then parts[#parts + 1] = part end
   end
   for _, option in ipairs(options) do parts[#parts + 1] = option end
   -- arguments without options keep the separator after them
   if #options == 0 and #parts == 2 then parts[3] = '' end
   return table.concat(parts, self.argseparator)
end

---------------------------------------------------------------------------------------------------------
-- The log

-- cmd:silent(): output after the next cmd:log goes to the log alone.
function CmdLine:silent() self.silentio = true end

-- cmd:addTime([name[, format]]): lines of the log begin with the time, and a name.
function CmdLine:addTime(name, format)
   format = format or '%Y-%m-%d %H:%M:%S'
   if type(format) ~= 'string' then fail('torch.CmdLine:addTime expects a format, not a %s', type(format)) end
   self.dateformat = format .. (name ~= nil and '[' .. name .. ']: ' or '')
end

local print_before     -- the program's print before the first log

-- cmd:log(file[, values]): `print` writes to a file too from now on; values are written first.
function CmdLine:log(file, values)
   if io.type(file) ~= 'file' then
      local opened, err = io.open(file, 'w')
      if not opened then fail('torch.CmdLine:log cannot open %s', err) end
      file = opened
   end
   print_before = print_before or print
   local screen = print_before
   function print(...)
      if not self.silentio then screen(...) end
      local words = {}
      if self.dateformat then words[1] = os.date(self.dateformat) end
      for i = 1, select('#', ...) do words[#words + 1] = tostring((select(i, ...))) end
      words[#words + 1] = '\n'
      file:write(table.concat(words, ' '))
      file:flush()
   end
   print('[program started on ' .. os.date() .. ']')
   print('[command line arguments]')
   for key, value in pairs(values or {}) do print(key, value) end
   print('[----------------------]')
end
