-- lfs: the iterator over a directory.
--
-- Arguments: core {fail}, host, lfs.

local core, _, lfs = ...
local fail = core.fail

local names = lfs._names
lfs._names = nil
lfs._VERSION = 'LuaFileSystem 1.8.0'

-- for name in lfs.dir(path): the names in a directory, `.` and `..` among them. Also an object to step by hand.
function lfs.dir(path)
   local list, err = names(path)
   if not list then fail('%s', err) end
   local at = 0
   local directory = {}
   function directory.next()
      if not list then fail('closed directory') end
      at = at + 1
      return list[at]
   end
   function directory.close() list = nil end
   return directory.next, directory
end
