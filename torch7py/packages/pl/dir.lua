-- pl.dir: directories and the files in them.
--
-- Arguments: core {fail}, host, dir. The packages pl.utils, pl.path, lfs and paths are loaded before.

local core, _, dir = ...
local fail = core.fail
local utils, path, lfs = require 'pl.utils', require 'pl.path', require 'lfs'

local function as_list(t) return setmetatable(t, require 'pl.List') end

local function check_directory(name)
   if not path.isdir(name) then fail("argument 1: '%s' not a directory", name) end
end

local function pattern_of(mask)
   return '^' .. utils.escape(path.normcase(mask)):gsub('%%%*', '.*'):gsub('%%%?', '.') .. '$'
end

-- dir.fnmatch(name, mask): whether a name fits a mask with `*` and `?`.
function dir.fnmatch(name, mask)
   return path.normcase(name):find(pattern_of(mask)) ~= nil
end

function dir.filter(names, mask)
   local result = {}
   for _, name in ipairs(names) do
      if dir.fnmatch(name, mask) then result[#result + 1] = name end
   end
   return as_list(result)
end

local function entries(directory, accepts, mask)
   directory = directory or '.'
   check_directory(directory)
   local result = {}
   for name in lfs.dir(directory) do
      local full = path.join(directory, name)
      if name ~= '.' and name ~= '..' and accepts(full) and (not mask or dir.fnmatch(name, mask)) then
         result[#result + 1] = full
      end
   end
   return as_list(result)
end

-- dir.getfiles([directory[, mask]]), dir.getdirectories([directory]): full names.
function dir.getfiles(directory, mask) return entries(directory, path.isfile, mask) end
function dir.getdirectories(directory) return entries(directory, path.isdir) end

-- for root, dirs, files in dir.walk(root[, bottom_up[, follow]])
function dir.walk(root, bottom_up, follow)
   check_directory(root)
   local visits = {}
   local function visit(at)
      local dirs, files = {}, {}
      for name in lfs.dir(at) do
         if name ~= '.' and name ~= '..' then
            local full = path.join(at, name)
            local into = path.isdir(full) and dirs or files
            into[#into + 1] = name
         end
      end
      if not bottom_up then visits[#visits + 1] = {at, as_list(dirs), as_list(files)} end
      for _, name in ipairs(dirs) do
         local full = path.join(at, name)
         if follow or not path.islink(full) then visit(full) end
      end
      if bottom_up then visits[#visits + 1] = {at, as_list(dirs), as_list(files)} end
   end
   visit(root)
   local i = 0
   return function()
      i = i + 1
      if visits[i] then return unpack(visits[i]) end
   end
end

-- dir.getallfiles([root[, mask]]): the full names of all files below a directory.
function dir.getallfiles(root, mask)
   local result = {}
   for at, _, files in dir.walk(root or '.') do
      for _, name in ipairs(files) do
         if not mask or dir.fnmatch(name, mask) then result[#result + 1] = path.join(at, name) end
      end
   end
   return as_list(result)
end

-- for name, is_directory in dir.dirtree(root): all that is below a directory, by full name.
function dir.dirtree(root)
   if not root or root == '' then fail 'directory parameter is missing or empty' end
   local function visit(at)
      for name in lfs.dir(at) do
         local full = at .. path.sep .. name
         if name ~= '.' and name ~= '..' and path.exists(full) then
            coroutine.yield(full, path.isdir(full))
            if path.isdir(full) then visit(full) end
         end
      end
   end
   return coroutine.wrap(function() visit(root:match '^(.-)/?$') end)
end

-- dir.makepath(name): make a directory and those above it.
function dir.makepath(name)
   name = path.abspath(name)
   if path.isdir(name) then return true end
   local above = path.dirname(name)
   if above ~= '' and above ~= name then
      local ok, err = dir.makepath(above)
      if not ok then return nil, err end
   end
   return path.mkdir(name)
end

-- dir.rmtree(name): remove a directory with all that is in it.
function dir.rmtree(name)
   check_directory(name)
   if path.islink(name) then return false, 'will not follow symlink' end
   return paths.rmall(name, 'yes')
end

-- dir.copyfile(from, to[, overwrite]), dir.movefile(from, to).
function dir.copyfile(from, to, overwrite)
   if path.isdir(to) then to = path.join(to, path.basename(from)) end
   if overwrite == false and path.exists(to) then return false, 'cannot overwrite destination' end
   local text, err = utils.readfile(from, true)
   if not text then return false, err end
   local ok
   ok, err = utils.writefile(to, text, true)
   if not ok then return false, err end
   return true
end
function dir.movefile(from, to)
   if path.isdir(to) then to = path.join(to, path.basename(from)) end
   local ok, err = os.rename(from, to)
   if ok then return true end
   ok, err = dir.copyfile(from, to)
   if ok then ok, err = os.remove(from) end
   return ok and true or false, err
end
