-- Sources: how files and strings become functions, and where `require` and `include` find them.
--
-- `require` is th's: a name that begins with a dot is a file beside the one that asks for it and runs every
-- time; any other is loaded once, from package.preload, torch7py's packages or package.path, and failing
-- these is a file in the working directory or the script's. A file of the program's own comes before a package where it
-- would have in the original: in a folder that the program put at the beginning of package.path, and, for packages that
-- did not come with Torch, in any folder of LUA_PATH and package.path.
--
-- Arguments: core {raw, fail}, host {patch = source.patch, working_directory = f() -> path,
-- rewrite = f(source, name) -> source, or nil, came_with_torch = f(name of a package) -> boolean, advice = f(name of a missing package) -> text or nil},
-- packages {load = f(name) -> table or nil}.
-- Result: {load = f(source, name, mode, env) -> function, or nil and a message,
--          run = f(path) -> what the file returns,
--          here = f(level) -> path of the file that runs at that level of the stack, or nil,
--          join = f(directory, name) -> path, directory = f(path), is_file = f(path),
--          set_script = f(path), which adds the script's directory to the places that are searched}.
-- Sets the globals require, include, dofile, loadfile, loadstring, load, and package.path, .cpath, .loaders.
-- compat.lua has to run before it.

local core, host, packages = ...
local sources = {}

local type, select, error, tostring, rawset, setfenv = type, select, error, tostring, rawset, setfenv
local native_load, getinfo, getlocal, open, read = loadstring, debug.getinfo, debug.getlocal, io.open, io.read
local fail, length = core.fail, __torch7py_len
local loaded_modules, searchpath = package.loaded, package.searchpath

local BYTECODE = '\27'
local plain_lua = native_load('return "\\x41"')() ~= 'A'    -- no \x, \z and \u{} in strings

local function check_string(value, number, name)
   if type(value) == 'string' then return value end
   if type(value) == 'number' then return tostring(value) end
   fail("bad argument #%d to '%s' (string expected, got %s)", number, name, type(value))
end

-- Results of a call that must not be a tail call, so that its caller stays on the stack.
local function keep(...) return ... end

---------------------------------------------------------------------------------------------------------
-- From source to function

-- Whether a text may need a patch although the engine takes it. That `goto` is no name in Torch's Lua is what
-- programs tell its 5.2 compatibility by.
local function is_suspect(text)
   return string.find(text, '#', 1, true) or string.find(text, '%f[%w_]goto%f[^%w_]') or plain_lua and string.find(text, '\\[xzu]')
end

-- The engine compiles first, so that what it says about an error is about the source as it was written.
local function compile(text, name, detached)
   local f, err = native_load(text, name)
   if f and not is_suspect(text) then return f end
   local patched = core.raw(host.patch, text, plain_lua)
   if patched == text then return f, err end
   if patched == nil then
      if not f then return nil, err end
      return nil, string.gsub(name, '^[@=]', '') .. ': this source is not what Torch took for Lua'
   end
   if not detached and not string.find(text, 'setfenv', 1, true) and not string.find(text, 'module', 1, true) then
      return native_load(patched, name)
   end
   -- The function behind the length operator is a global; where globals may be others it comes along.
   local make
   make, err = native_load('local __torch7py_len = ... return function(...) ' .. patched .. '\nend', name)
   if not make then return nil, err end
   return make(length)
end

-- `detached`: the function may be given other globals than the program's.
function sources.load(source, name, mode, env, detached)
   local binary = string.sub(source, 1, 1) == BYTECODE
   if mode and not string.find(mode, binary and 'b' or 't', 1, true) then
      return nil, 'attempt to load chunk with wrong mode'
   end
   local f, err
   if binary then
      f, err = native_load(source, name)
   else
      local text = host.rewrite and core.raw(host.rewrite, source, name) or source
      text = string.gsub(string.gsub(text, '^\239\187\191', ''), '^#[^\r\n]*', '')
      f, err = compile(text, name, detached)
   end
   if not f then return nil, err end
   if env ~= nil then setfenv(f, env) end
   return f
end

local function load_file(path, mode, env, detached)
   local text, name
   if path == nil then
      text, name = read('*a'), '=stdin'
   else
      local file, err = open(path, 'rb')
      if not file then return nil, 'cannot open ' .. err end
      text, err = file:read('*a')
      file:close()
      if not text then return nil, string.format('cannot read %s: %s', path, err) end
      name = '@' .. path
   end
   return sources.load(text, name, mode, env, detached)
end

-- Run the function made of a file. Its first local tells `here` the file when a tail call has hidden the
-- chunk.
local function run_chunk(path, f, ...)
   return keep(f(...))
end

local function run_file(path)
   local f, err = load_file(path)
   if not f then
      if string.find(err, '^cannot ') then fail(err) end
      error(err, 0)
   end
   return keep(run_chunk(path, f))
end
sources.run = run_file

---------------------------------------------------------------------------------------------------------
-- Paths

function sources.directory(path)
   local directory = string.match(path, '^(.*)/[^/]*$')
   return directory == '' and '/' or directory or '.'
end

-- `name` as seen from `directory`, without `.` and `..` where they cancel.
function sources.join(directory, name)
   local path = string.sub(name, 1, 1) == '/' and name or directory .. '/' .. name
   local root, parts = string.sub(path, 1, 1) == '/' and '/' or '', {}
   for part in string.gmatch(path, '[^/]+') do
      if part == '..' and #parts > 0 and parts[#parts] ~= '..' then
         parts[#parts] = nil
      elseif part ~= '.' and not (part == '..' and root == '/') then
         parts[#parts + 1] = part
      end
   end
   local joined = root .. table.concat(parts, '/')
   return joined == '' and '.' or joined
end

-- A directory opens too, but cannot be read.
function sources.is_file(path)
   local file = open(path, 'rb')
   if not file then return false end
   local _, err = file:read(1)
   file:close()
   return err == nil
end

local join, is_file, directory = sources.join, sources.is_file, sources.directory

-- The file of the function at a level of the stack, and whether the function itself is there. It is not after
-- a tail call or through pcall; then the nearest file below it is meant. No file where there is no such level.
function sources.here(level)
   local at, direct = level + 1, true
   while at > 0 and at < 2^31 do
      local info = getinfo(at, 'Sf')
      if not info then return nil end
      if string.sub(info.source, 1, 1) == '@' then return string.sub(info.source, 2), direct end
      if info.func == run_chunk then return select(2, getlocal(at, 1)), false end
      at, direct = at + 1, false
   end
   return nil
end

local here = sources.here

---------------------------------------------------------------------------------------------------------
-- Files that `require` takes for a path

local script_directory

local function run_saved(path) return torch.load(path) end
local function run_net(path)
   require 'nn'
   return torch.load(path)
end
local function run_json(path)
   local file = open(path, 'rb')
   local text = file:read('*a')
   file:close()
   return require('cjson').decode(text)
end
local function run_csv(path) return require('csv').load(path) end

local READERS = {{'.th', run_saved}, {'.net', run_net}, {'.json', run_json}, {'.csv', run_csv}}

-- The file that th takes for `name` in a directory: its path and how to run it, or nil, nil and the paths
-- tried.
local function find(place, name)
   local path = join(place, name)
   local tried = {path .. '.lua', path}
   if is_file(path .. '.lua') then return path .. '.lua', run_file end
   if is_file(path) then
      for _, reader in ipairs(READERS) do
         if string.sub(path, -#reader[1]) == reader[1] then return path, reader[2] end
      end
      return path, run_file
   end
   for _, reader in ipairs(READERS) do
      if is_file(path .. reader[1]) then return path .. reader[1], reader[2] end
   end
   local init = join(path, 'init.lua')
   if is_file(init) then return init, run_file end
   tried[3] = init
   return nil, nil, tried
end

-- The same in several directories.
local function find_in(places, name)
   local all = {}
   for _, place in ipairs(places) do
      local path, run, tried = find(place, name)
      if path then return path, run end
      for _, each in ipairs(tried) do all[#all + 1] = string.format("\n\tno file '%s'", each) end
   end
   return nil, nil, table.concat(all)
end

local function require_relative(name)
   local file, direct = here(3)
   local place = file and is_file(file) and directory(file) or '.'
   local path, run, tried = find_in(direct and {place} or {'.', place ~= '.' and place or nil}, name)
   if not path then
      fail("module '" .. name .. "' not found:" .. tried
           .. '\n\ta name that begins with a dot is a file beside the one that requires it')
   end
   return keep(run(path))
end

---------------------------------------------------------------------------------------------------------
-- Modules

-- Whether a file is one of those that are running: they require the package, not themselves.
local function is_running(path)
   local wanted = '@' .. string.gsub(path, '^%./', '')
   for level = 2, 200 do
      local info = debug.getinfo(level, 'S')
      if not info then return false end
      if string.gsub(info.source, '^@%./', '@') == wanted then return true end
   end
   return false
end

local first_path               -- package.path as the program found it
local added_here = {['./?/init.lua'] = true}   -- templates that are not on Torch's path

-- The file of the program's own that comes before the package of this name.
local function own_file(name)
   local path = package.path
   if type(path) ~= 'string' then return nil end
   if core.raw(host.came_with_torch, name) then
      local start = string.find(path, first_path, 1, true)
      path = start and string.sub(path, 1, start - 1) or ''
   end
   local templates = {}
   for template in string.gmatch(path, '[^;]+') do
      if not added_here[template] then templates[#templates + 1] = template end
   end
   local found = #templates > 0 and searchpath(name, table.concat(templates, ';'))
   return found and not is_running(found) and found or nil
end

local ENGINE_PARTS = {ffi = true, bit = true, jit = true}   -- LuaJIT's, which are no packages

local function package_searcher(name)
   if ENGINE_PARTS[name] then return '' end
   local path = own_file(name)
   if path then return string.format("\n\tno package '%s' before '%s'", name, path) end
   local made = packages.load(name)
   if made == nil then return string.format("\n\tno package '%s' in torch7py", name) end
   return function() return made end
end

-- The places of a package that the script is a part of: its examples and tests require it by its name, and it need not
-- be installed.
local function own_package(name)
   local folder, above = join(core.raw(host.working_directory), script_directory or '.'), nil
   while folder ~= '/' do
      above = directory(folder)
      if join(above, string.match(name, '^[^./]*')) == folder then return string.format(';%s/?.lua;%s/?/init.lua', above, above) end
      folder = above
   end
   return ''
end

local function file_searcher(name)
   if type(package.path) ~= 'string' then fail("'package.path' must be a string") end
   local path, tried = searchpath(name, package.path .. own_package(name))
   if not path then return string.format("%s\n\tno file '%s'", tried, name) end
   local f, err = load_file(path)
   if not f then fail("error loading module '" .. name .. "' from file '" .. path .. "':\n\t" .. err) end
   return function(...) return keep(run_chunk(path, f, ...)) end
end

local function search(name)
   local tried = {}
   if type(package.loaders) ~= 'table' then fail("'package.loaders' must be a table") end
   for _, searcher in ipairs(package.loaders) do
      local found = searcher(name)
      if type(found) == 'function' then return found end
      if type(found) == 'string' then tried[#tried + 1] = found end
   end
   return nil, table.concat(tried)
end

local function hint(name)
   if plain_lua and ENGINE_PARTS[name] then
      return string.format("\n\t'%s' needs LuaJIT; this is plain Lua 5.1", name)
   end
   local advice = core.raw(host.advice, name)
   if advice then return string.format("\n\t%s is not a part of torch7py: %s", name, advice) end
   return '\n\tit is neither a package that torch7py knows nor a Lua file of this program'
          .. '\n\ta package written in Lua is found in the program\'s folder and in those of LUA_PATH'
end

local loading = newproxy()      -- stands in package.loaded for a module that is being loaded, or failed to

local function require_module(name)
   local loaded = loaded_modules
   local known = loaded[name]
   if known == loading then fail("loop or previous error loading module '%s'", name) end
   if known then return known end
   local loader, tried = search(name)
   if not loader then
      local path, run = find_in({'.', script_directory}, name)
      if not path then fail("module '" .. name .. "' not found:" .. tried .. hint(name)) end
      return keep(run(path))
   end
   loaded[name] = loading
   local result = loader(name)
   if result ~= nil then
      loaded[name] = result
   elseif loaded[name] == loading then
      loaded[name] = true
   end
   return loaded[name]
end

function sources.set_script(path)
   local place = directory(path)
   if place == '.' then return end
   script_directory = place
   added_here[place .. '/?/init.lua'] = true
   package.path = string.format('%s;%s/?.lua;%s/?/init.lua', package.path, place, place)
end

if not os.getenv('LUA_PATH') then package.path = './?.lua;./?/init.lua' end
first_path = package.path
-- C modules were made for another Lua; this finds libraries for ffi.load
if not os.getenv('LUA_CPATH') then package.cpath = './?.so' end
local loaders = package.loaders
loaders[2], loaders[3] = package_searcher, file_searcher
for i = #loaders, 4, -1 do loaders[i] = nil end

---------------------------------------------------------------------------------------------------------
-- Globals

local globals = {}

function globals.require(name)
   name = check_string(name, 1, 'require')
   if string.sub(name, 1, 1) == '.' then return keep(require_relative(name)) end
   return keep(require_module(name))
end

-- Run a file beside the one that calls; `depth` more levels up the stack, that one's caller. The file goes by its
-- absolute name, by which programs tell whether they are included or run.
function globals.include(name, depth)
   local file = here(2 + (depth or 0))
   local path = join(file and directory(file) or '.', check_string(name, 1, 'include'))
   return keep(run_file(join(core.raw(host.working_directory), path)))
end

function globals.dofile(path)
   return keep(run_file(path))
end

function globals.loadfile(path, mode, env)
   return load_file(path, mode, env, true)
end

function globals.loadstring(source, name, mode, env)
   source = check_string(source, 1, 'loadstring')
   return sources.load(source, name or source, mode, env, true)
end

function globals.load(chunk, name, mode, env)
   if type(chunk) ~= 'function' then
      chunk = check_string(chunk, 1, 'load')
      return sources.load(chunk, name or chunk, mode, env, true)
   end
   local pieces = {}
   while true do
      local piece = chunk()
      if piece == nil or piece == '' then break end
      if type(piece) ~= 'string' then return nil, 'reader function must return a string' end
      pieces[#pieces + 1] = piece
   end
   return sources.load(table.concat(pieces), name or '=(load)', mode, env, true)
end

for name, f in next, globals do rawset(_G, name, f) end

return sources
