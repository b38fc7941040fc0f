-- xlua.OptionParser: options by name, after Python's optparse.
--
--   local op = xlua.OptionParser('%prog [options]')
--   op:option{'-l', '--learning-rate', action='store', dest='rate', default=0.1, help='step size'}
--   local options, arguments = op:parse()
--
-- Arguments: core, xlua.

local _, xlua = ...
local OptionParser = {}

function xlua.OptionParser(usage)
   local parser = {usage = usage, option_descriptions = {}, option_of = {}}
   for name, method in next, OptionParser do parser[name] = method end
   parser:option {'-h', '--help', action = 'store_true', dest = 'help', help = 'show this help message and exit'}
   return parser
end

local function takes_value(option) return option.action == nil or option.action == 'store' end

-- An option: its flags, `dest` (its name in the result), `action` ('store', 'store_true', 'store_false'),
-- `default`, `req` (it is required), `help`, `metavar`.
function OptionParser:option(option)
   table.insert(self.option_descriptions, option)
   for _, flag in ipairs(option) do self.option_of[flag] = option end
end

function OptionParser:fail(message)
   io.stderr:write(message, '\n')
   self:help()
   os.exit(1)
end

-- The words of the command line, '--name=value' as two.
local function words_of(list)
   local words = {}
   for _, word in ipairs(list) do
      local flag, value = word:match('^(%-%-%w+)=(.*)')
      words[#words + 1] = flag or word
      if flag then words[#words + 1] = value end
   end
   return words
end

-- op:parse([options]): the options by name, and a list of the other arguments.
function OptionParser:parse(options)
   options = options or {}
   local others = {}
   for _, option in ipairs(self.option_descriptions) do
      if option.default ~= nil and options[option.dest] == nil then options[option.dest] = option.default end
   end
   options.__main__ = arg ~= nil and arg ~= false
   if not options.__main__ then
      self.options = options
      return options, others
   end
   local words, i = words_of(arg), 1
   while i <= #words do
      local word = words[i]
      local option = self.option_of[word]
      if option then
         local value = option.default
         if takes_value(option) then
            i = i + 1
            value = words[i] or value
            if not value then self:fail('option requires an argument ' .. word) end
         elseif option.action == 'store_true' then
            value = true
         elseif option.action == 'store_false' then
            value = false
         end
         options[option.dest] = value
      else
         if word:find('^%-') then self:fail('invalid option ' .. word) end
         others[#others + 1] = word
      end
      i = i + 1
   end
   for flag, option in pairs(self.option_of) do
      if option.req and not options[option.dest] then self:fail('option ' .. flag .. ' requires an argument ') end
   end
   if options.help then
      self:help()
      os.exit()
   end
   self.options = options
   return options, others
end

-- The flags of an option with their values: '-x VALUE, --xy=VALUE'.
function OptionParser:flags(option)
   local flags = {}
   for i, flag in ipairs(option) do
      local value = ''
      if takes_value(option) then
         value = (#flag == 2 and ' ' or '=') .. (option.metavar or option.dest:upper())
      end
      flags[i] = flag .. value
   end
   return table.concat(flags, ', ')
end

function OptionParser:help()
   local program = arg[-1] and arg[-1] .. ' ' .. arg[0] or arg[0] or 'THISPROG'
   io.stdout:write('Usage: ', (self.usage:gsub('%%prog', (program:gsub('%%', '%%%%')))), '\n\nOptions:\n')
   local width = 0
   for _, option in ipairs(self.option_descriptions) do width = math.max(width, #self:flags(option)) end
   for _, option in ipairs(self.option_descriptions) do
      local flags, note = self:flags(option), ''
      if option.req then
         note = ' [REQUIRED]'
      elseif option.default then
         note = ' [default = ' .. tostring(option.default) .. ']'
      end
      io.stdout:write('  ', flags, (' '):rep(width - #flags), '  ', option.help, note, '\n')
   end
end

-- op:tostring([as_name, flags]): all options, a line each; or those that are set (of `flags`, where it names
-- any) as part of a file's name.
function OptionParser:tostring(as_name, flags)
   if not as_name then
      local lines = {'<' .. ((arg and arg[0]) or 'interpreted.lua'):gsub('.lua', '') .. '> configuration:\n'}
      for name, value in pairs(self.options) do lines[#lines + 1] = ' + ' .. name .. ' = ' .. tostring(value) .. '\n' end
      return table.concat(lines)
   end
   local selected
   for _, flag in ipairs(flags) do
      selected = selected or {}
      selected[flag] = true
   end
   local words = {}
   for _, option in ipairs(self.option_descriptions) do
      local value = self.options[option.dest]
      if value and (not selected or selected[option[1]]) then words[#words + 1] = option[1] .. '=' .. tostring(value) end
   end
   return (table.concat(words, ','):gsub('/', '|'):gsub(' ', '_'))
end

function OptionParser:summarize(as_name) io.write(self:tostring(as_name)) end
