-- pl.path: names of files, and the files and directories under them.
--
-- Arguments: core, host, path. The packages lfs and pl.utils are loaded before.

local _, _, path = ...
local lfs, utils = require 'lfs', require 'pl.utils'
local check = utils.assert_string

path.is_windows = utils.is_windows
path.sep = path.is_windows and '\\' or '/'
path.dirsep = path.is_windows and ';' or ':'

local SEPARATORS = path.is_windows and '/\\' or '/'
local function is_separator(c) return c ~= '' and SEPARATORS:find(c, 1, true) ~= nil end

---------------------------------------------------------------------------------------------------------
-- Files

path.dir, path.attrib, path.link_attrib = lfs.dir, lfs.attributes, lfs.symlinkattributes
path.mkdir, path.rmdir, path.chdir, path.currentdir = lfs.mkdir, lfs.rmdir, lfs.chdir, lfs.currentdir

local function entry(name, of)
   return function(p)
      check(1, p)
      return (of or lfs.attributes)(p, name)
   end
end

path.getsize, path.getatime, path.getmtime, path.getctime =
   entry 'size', entry 'access', entry 'modification', entry 'change'

local mode, link_mode = entry 'mode', entry('mode', lfs.symlinkattributes)

function path.isdir(p) return mode(p) == 'directory' end
function path.isfile(p) return mode(p) == 'file' end
function path.islink(p) return link_mode(p) == 'link' end

-- path.exists(p): p where there is such a file or directory, else false.
function path.exists(p) return mode(p) ~= nil and p end

---------------------------------------------------------------------------------------------------------
-- Parts of names

-- path.splitpath(p): the parts before and after the last separator.
function path.splitpath(p)
   check(1, p)
   local directory, name = p:match('^(.*)[' .. SEPARATORS:gsub('\\', '%%\\') .. '](.*)$')
   if not directory then return '', p end
   return directory, name
end

-- path.splitext(p): the name without its extension, and the extension with its dot.
function path.splitext(p)
   check(1, p)
   local root, extension = p:match('^(.*)(%.[^.' .. SEPARATORS:gsub('\\', '%%\\') .. ']*)$')
   if not root then return p, '' end
   return root, extension
end

function path.dirname(p) return (path.splitpath(p)) end
function path.basename(p) return (select(2, path.splitpath(p))) end
function path.extension(p) return (select(2, path.splitext(p))) end

function path.isabs(p)
   check(1, p)
   if path.is_windows and p:sub(2, 2) == ':' then return is_separator(p:sub(3, 3)) end
   return is_separator(p:sub(1, 1))
end

-- path.join(p, ...): each name seen from the one before.
function path.join(p, ...)
   check(1, p)
   for i = 1, math.max(1, select('#', ...)) do
      local name = check(i + 1, (select(i, ...)))
      local last = p:sub(-1)
      if path.isabs(name) then
         p = name
      else
         p = p .. ((last == '' or is_separator(last)) and '' or path.sep) .. name
      end
   end
   return p
end

function path.normcase(p)
   check(1, p)
   return path.is_windows and p:gsub('/', '\\'):lower() or p
end

-- path.normpath(p): without `.`, and without `..` where it cancels.
function path.normpath(p)
   check(1, p)
   local anchor = ''
   if path.is_windows then
      p = p:gsub('/', '\\')
      anchor = p:match('^\\\\') or p:match('^%a:\\?') or p:match('^\\') or ''
   elseif p:find('^//[^/]') then
      anchor = '//'
   else
      anchor = p:match('^/') or ''
   end
   local parts = {}
   for part in p:sub(#anchor + 1):gmatch('[^' .. path.sep:gsub('\\', '%%\\') .. ']+') do
      if part == '..' and #parts > 0 and parts[#parts] ~= '..' then
         parts[#parts] = nil
      elseif part ~= '.' then
         parts[#parts + 1] = part
      end
   end
   local result = anchor .. table.concat(parts, path.sep)
   return result == '' and '.' or result
end

-- path.abspath(p[, from]): the full name.
function path.abspath(p, from)
   check(1, p)
   p = p:gsub('[\\/]$', '')
   if not path.isabs(p) then p = path.join(from or lfs.currentdir(), p) end
   return path.normpath(p)
end

-- path.relpath(p[, from]): the name as seen from a directory, by default the working one.
function path.relpath(p, from)
   check(1, p)
   local target = utils.split(path.abspath(p, from), path.sep, true)
   local start = utils.split(from or lfs.currentdir(), path.sep, true)
   local common = 0
   while common < math.min(#target, #start) and target[common + 1] == start[common + 1] do common = common + 1 end
   local parts = {}
   for _ = common + 1, #start do parts[#parts + 1] = '..' end
   for i = common + 1, #target do parts[#parts + 1] = target[i] end
   return table.concat(parts, path.sep)
end

-- path.common_prefix(p, q): the directory that both are in.
function path.common_prefix(p, q)
   check(1, p)
   check(2, q)
   if #p > #q then p, q = q, p end
   local n = 0
   while n < #p and p:byte(n + 1) == q:byte(n + 1) do n = n + 1 end
   if n == #p and is_separator(q:sub(n + 1, n + 1)) then return p end
   if n < #p and n > 0 and is_separator(p:sub(n, n)) then return p:sub(1, n) end
   return path.dirname(p:sub(1, n))
end

-- path.expanduser(p): with the home directory for a `~` in front.
function path.expanduser(p)
   check(1, p)
   if p:sub(1, 1) ~= '~' then return p end
   local home = os.getenv('HOME') or os.getenv('USERPROFILE')
   if not home then return nil, "failed to expand '~' (HOME not set)" end
   return home .. p:sub(2)
end

function path.tmpname() return os.tmpname() end

-- path.package_path(name): the Lua file that a module is loaded from.
function path.package_path(name)
   check(1, name)
   local file, err = package.searchpath(name, package.path)
   if file then return file, true end
   return utils.raise('cannot find module on path\n' .. err)
end
