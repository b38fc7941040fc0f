-- pl.app: the program itself: its name, its own files, the words after its name.
--
-- Arguments: core, host, app. The packages pl.utils and pl.path are loaded before.

local _, _, app = ...
local utils, path = require 'pl.utils', require 'pl.path'

function app.script_name()
   local words = rawget(_G, 'arg')
   if words and words[0] then return words[0] end
   return utils.raise 'No script name found'
end

-- Where the program's file is; for a link, where the file it names is.
local function folder(follow)
   local name = app.script_name()
   if not path.isabs(name) then name = path.join(path.currentdir(), name) end
   local link = follow and path.link_attrib(name)
   if link and link.mode == 'link' and link.target then name = path.join(path.dirname(name), link.target) end
   local directory = path.normpath(path.dirname(name))
   return directory:sub(-1) == path.sep and directory or directory .. path.sep
end

-- app.require_here([base[, nofollow]]): let require look beside the program first, or in a folder there.
function app.require_here(base, nofollow)
   local directory = folder(not nofollow)
   if base then
      if path.is_windows then base = base:gsub('/', '\\') end
      directory = (path.isabs(base) and '' or directory) .. base .. path.sep
   end
   local function before(templates, others) return templates .. (others:find '^;' and '' or ';') .. others end
   package.path = before(('%s?.lua;%s?%sinit.lua'):format(directory, directory, path.sep), package.path)
   package.cpath = before(directory .. '?.' .. (path.is_windows and 'dll' or 'so'), package.cpath)
   return directory
end

-- app.appfile(name): a file in the folder ~/.PROGRAM, which is created.
function app.appfile(name)
   local script, err = app.script_name()
   if not script then return utils.raise(err) end
   local directory = path.join(path.expanduser '~', '.' .. path.splitext(path.basename(script)))
   if not path.isdir(directory) and not path.mkdir(directory) then return utils.raise('cannot create ' .. directory) end
   return path.join(directory, name)
end

function app.platform()
   if path.is_windows then return 'Windows' end
   local file = io.popen 'uname'
   local name = file:read()
   file:close()
   return name == 'Darwin' and 'OSX' or name
end

-- app.lua(): the command before the program's name, as one string, and its first word.
function app.lua()
   local words = rawget(_G, 'arg')
   if not words then return utils.raise 'not in a main program' end
   local command, i = {}, -1
   while words[i] do
      table.insert(command, 1, words[i])
      i = i - 1
   end
   return utils.quote_arg(command), command[1]
end

---------------------------------------------------------------------------------------------------------
-- Flags

-- From a list or a table of other names, by each name the one it is reported as.
local function reported_names(flags)
   if not flags then return setmetatable({}, {__index = function(_, name) return name end}) end
   local reported = {}
   for name, others in pairs(flags) do
      if type(name) == 'number' then name = others end
      for _, other in ipairs(type(others) == 'table' and others or {others}) do
         if type(other) == 'string' then reported[other] = name end
      end
      reported[name] = name
   end
   return reported
end

-- The names, among all of them, of flags that take a value.
local function names_with_values(flags, reported)
   local set = {}
   for name, other in pairs(flags or {}) do
      if type(name) == 'number' then name = other end
      if not reported[name] then reported[name] = name end
      set[reported[name]] = true
   end
   local all = {}
   for name in pairs(set) do all[name] = true end
   for name, main in pairs(reported) do
      if set[main] then all[name] = true end
   end
   return all
end

-- app.parse_args([words[, flags_with_values[, flags_valid]]]): a table of flags and a list of the other words, or nil and
-- an error. -k=2, -k:2, -k2 and --key=2 give a value, a flag with a value takes the next word, -abc is -a -b -c.
function app.parse_args(words, flags_with_values, flags_valid)
   words = words or rawget(_G, 'arg')
   if not words then return utils.raise "Not in a main program: 'arg' not found" end
   local reported = reported_names(flags_valid)
   local takes_value = names_with_values(flags_with_values, reported)
   local flags, parameters = {}, {}

   local function set(name, value)
      if not reported[name] then return "unknown flag '" .. name .. "'" end
      flags[reported[name]] = value
   end

   -- Set the flag of one word; an unknown flag is an error.
   local function set_word(text, long)
      local name, value = utils.splitv(text, '[=:]', false, 2)
      name = name or text
      if long or #name <= 1 then return set(name, value or true) end
      if name:find '.%d+' then return set(name:sub(1, 1), name:sub(2)) end
      for letter in name:gmatch '.' do
         local err = set(letter, true)
         if err then return err end
      end
   end

   local i = 1
   while i <= #words do
      local text = words[i]:match '^%-(.+)'
      local long = text and text:sub(1, 1) == '-'
      if long then text = text:sub(2) end
      local err
      if not text then
         table.insert(parameters, words[i])
      elseif takes_value[text] then
         i = i + 1
         if i > #words or words[i]:find '^%-' then
            err = "no value for '" .. text .. "'"
         else
            flags[reported[text]] = words[i]
         end
      else
         err = set_word(text, long)
      end
      if err then return utils.raise(err) end
      i = i + 1
   end
   return flags, parameters
end
