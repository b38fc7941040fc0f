-- paths: the functions that need Lua's closures, or the file that calls them.
--
-- Arguments: core {fail, sources}, host, paths.

local core, _, paths = ...
local fail, sources = core.fail, core.sources

local function keep(...) return ... end

paths.home = os.getenv('HOME') or os.getenv('USERPROFILE') or '.'

function paths.is_win() return (paths.uname()):match('Windows') end
function paths.is_mac() return (paths.uname()):match('Darwin') end

-- paths.files(directory[, include]): iterates over the names in a directory, `.` and `..` among them, for which
-- a function says true or in which a pattern is found.
function paths.files(directory, include)
   local names, at = paths.dir(directory) or {}, 0
   local kind = type(include)
   if kind == 'string' then
      local pattern = include
      include = function(name) return name:find(pattern) end
   elseif include ~= nil and kind ~= 'function' then
      fail('paths.files expects a function or a pattern, not a %s', torch.type(include))
   end
   return function()
      repeat
         at = at + 1
      until names[at] == nil or not include or include(names[at])
      return names[at]
   end
end

local function entries(directory, accepts)
   return paths.files(directory, function(name)
      return name ~= '.' and name ~= '..' and accepts(paths.concat(directory, name))
   end)
end

-- The same for the directories in one, and for the files.
function paths.iterdirs(directory) return entries(directory, paths.dirp) end
function paths.iterfiles(directory) return entries(directory, paths.filep) end

-- paths.thisfile([name, depth]): the absolute name of the file that calls, or of one beside it.
function paths.thisfile(name, depth)
   local file = sources.here(depth or 2)
   file = file and paths.concat(file)
   if type(name) ~= 'string' then return file end
   return file and paths.concat(paths.dirname(file), name) or name
end

-- paths.dofile(name[, depth]): run a file beside the one that calls.
function paths.dofile(name, depth)
   local file = sources.here(depth or 2)
   if file then name = paths.concat(paths.dirname(paths.concat(file)), name) end
   return keep(dofile(name))
end
