-- sys: stopwatch, shell, colours.
--
-- Arguments: core {fail, sources}, host, sys, chunk. The package paths is loaded before.

local core, _, sys = ...
local fail, sources = core.fail, core.sources
local paths = paths

sys.dirname, sys.concat = paths.dirname, paths.concat
sys.filep, sys.dirp = paths.filep, paths.dirp -- by which old programs know them

---------------------------------------------------------------------------------------------------------
-- Time

local started

function sys.tic() started = sys.clock() end

-- sys.toc([print it]): seconds since sys.tic.
function sys.toc(verbose)
   if not started then fail('sys.toc before sys.tic') end
   local seconds = sys.clock() - started
   if verbose then print(seconds) end
   return seconds
end

function sys.sleep(seconds) sys.usleep(seconds * 1e6) end

---------------------------------------------------------------------------------------------------------
-- The shell

local function trim(text) return (text:gsub('^%s*', ''):gsub('%s*$', '')) end

-- sys.fexecute(command[, what]): its output, without surrounding blanks; `what` as for file:read.
function sys.fexecute(command, what)
   io.stdout:flush()
   local name = os.tmpname()
   os.execute(command .. ' >' .. name .. ' 2>&1')
   local file = assert(io.open(name))
   local text = file:read(what or '*a') or ''
   file:close()
   os.remove(name)
   return trim(text)
end

-- sys.execute(command): the same, of all commands where there are several.
function sys.execute(command)
   return sys.fexecute(sys.OS == 'windows' and command or '{ ' .. command .. '\n}')
end

for name, command in next, {ls = 'ls ', ll = 'ls -l ', la = 'ls -a ', lla = 'ls -la '} do
   sys[name] = function(directory) return sys.execute(command .. (directory or ' ')) end
end

local SYSTEMS = {Linux = 'linux', Darwin = 'macos', Windows = 'windows'}
function sys.uname() return SYSTEMS[(paths.uname())] or '?' end
sys.OS = sys.uname()
sys.prefix = ''

---------------------------------------------------------------------------------------------------------
-- This and that

-- sys.fpath(): directory and name of the file that calls.
function sys.fpath()
   local file = sources.here(2)
   if not file then fail('sys.fpath: what calls is not in a file') end
   file = paths.concat(file)
   return paths.dirname(file), paths.basename(file)
end

-- sys.split(text, pattern): the pieces between the matches of the pattern; an empty one at either end is left out.
function sys.split(text, pattern)
   local pieces, at = {}, 1
   local first, last = text:find(pattern, at)
   while first do
      if last < first then fail("split: the pattern '%s' matches nothing at all", pattern) end
      if first > 1 or at > 1 then pieces[#pieces + 1] = text:sub(at, first - 1) end
      at = last + 1
      first, last = text:find(pattern, at)
   end
   if at <= #text then pieces[#pieces + 1] = text:sub(at) end
   return pieces
end

function sys.isNaN(number) return number ~= number end

sys.COLORS = {none = '\27[0m'}
for code, color in ipairs {'black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'} do
   local bright = color:gsub('^%l', string.upper)
   sys.COLORS[color] = ('\27[0;%dm'):format(29 + code)
   sys.COLORS[bright] = ('\27[1;%dm'):format(29 + code)
   sys.COLORS['_' .. color] = ('\27[%dm'):format(39 + code)
end
