-- pl.utils: files as strings, splitting, functions from strings, checks of arguments.
--
-- Arguments: core {fail}, host, utils.

local core, _, utils = ...
local fail = core.fail

utils.pack = table.pack
utils.load, utils.setfenv, utils.getfenv = load, setfenv, getfenv
utils.lua51 = true   -- the LuaJIT of Torch7
utils.is_windows = package.config:sub(1, 1) == '\\'
utils.dir_separator = package.config:sub(1, 1)
utils.patterns = {FLOAT = '[%+%-%d]%d*%.?%d*[eE]?[%+%-]?%d*', INTEGER = '[+%-%d]%d*', IDEN = '[%a_][%w_]*',
                  FILE = '[%a%.\\][:%][%w%._%-\\]*'}

function utils.unpack(t, first, last) return unpack(t, first or 1, last or t.n or #t) end

---------------------------------------------------------------------------------------------------------
-- Arguments

-- utils.assert_arg(number, value, type[, verify[, message]]): the value, or an error that names the argument.
function utils.assert_arg(number, value, kind, verify, message)
   if type(value) ~= kind then fail("argument %d expected a '%s', got a '%s'", number, kind, type(value)) end
   if verify and not verify(value) then fail("argument %d: '%s' %s", number, tostring(value), message) end
   return value
end

function utils.assert_string(number, value) return utils.assert_arg(number, value, 'string') end

function utils.is_type(value, kind)
   if type(kind) == 'string' then return type(value) == kind end
   return getmetatable(value) == kind
end

local OPERATORS = require('pl.operator').optable
local lambdas = {}

-- utils.string_lambda('|x,y| x + y') or ('_ + 1'): a function.
function utils.string_lambda(text)
   if lambdas[text] then return lambdas[text] end
   local names, body
   if text:find('_', 1, true) then
      names, body = '_', text
   else
      names, body = text:match('^|([^|]*)|(.+)')
      if not names then return nil, text:find('^|') and 'bad string lambda' or 'not a string lambda' end
   end
   local make, err = loadstring('return function(' .. names .. ') return ' .. body .. ' end')
   if not make then return nil, err end
   lambdas[text] = make()
   return lambdas[text]
end

local factories = {}

-- utils.add_function_factory(metatable, make): functions with a function argument accept objects with this metatable
-- too, converted by make(object).
function utils.add_function_factory(mt, make) factories[mt] = make end

-- utils.function_arg(number, f): a function from a function, an operator's name, a lambda or a callable object.
function utils.function_arg(number, f, message)
   if type(f) == 'function' then return f end
   local make = type(f) == 'table' and factories[getmetatable(f)]
   if make then return make(f) end
   if type(f) == 'string' then
      if OPERATORS[f] then return OPERATORS[f] end
      local callable, err = utils.string_lambda(f)
      if not callable then fail('%s: %s', err, f) end
      return callable
   end
   local mt = (type(f) == 'table' or type(f) == 'userdata') and getmetatable(f)
   if mt and mt.__call then return f end
   fail('argument %d: %s', number, message or 'must be callable')
end

-- utils.bind1(f, x): f with its first argument given, utils.bind2(f, y): with its second.
function utils.bind1(f, x)
   f = utils.function_arg(1, f)
   return function(...) return f(x, ...) end
end
function utils.bind2(f, y)
   f = utils.function_arg(1, f)
   return function(x, ...) return f(x, y, ...) end
end

function utils.memoize(f)
   local known = {}
   return function(key)
      if known[key] == nil then known[key] = f(key) end
      return known[key]
   end
end

function utils.choose(condition, a, b)
   if condition then return a end
   return b
end

---------------------------------------------------------------------------------------------------------
-- Errors

local mode = 'default'

-- utils.on_error(mode): whether functions that fail return nil and a message ('default'), raise an error
-- ('error') or end the program ('quit').
function utils.on_error(behaviour)
   if behaviour ~= 'default' and behaviour ~= 'error' and behaviour ~= 'quit' then
      fail("utils.on_error expects 'default', 'quit' or 'error', not '%s'", tostring(behaviour))
   end
   mode = behaviour
end

function utils.raise(message)
   if mode == 'error' then fail('%s', message) end
   if mode == 'quit' then utils.quit(message) end
   return nil, message
end

-- utils.quit([code,] message, ...): end the program with a message on the error stream.
function utils.quit(code, message, ...)
   if type(code) == 'string' then
      utils.fprintf(io.stderr, code .. '\n', message, ...)
      code = -1
   elseif message then
      utils.fprintf(io.stderr, message .. '\n', ...)
   end
   os.exit(code)
end

---------------------------------------------------------------------------------------------------------
-- Strings and files

function utils.printf(format, ...) io.write(format:format(...)) end
function utils.fprintf(file, format, ...) file:write(format:format(...)) end

-- utils.escape(s): a pattern that matches s alone.
function utils.escape(s)
   return (utils.assert_string(1, s):gsub('[%-%.%+%[%]%(%)%$%^%%%?%*]', '%%%1'))
end

-- utils.split(s[, pattern[, plain[, n]]]): the pieces between the matches of the pattern, n at most.
function utils.split(s, pattern, plain, n)
   utils.assert_string(1, s)
   pattern = pattern or '%s+'
   if pattern == '' then return {s} end
   local pieces, at = {}, 1
   while true do
      local first, last = s:find(pattern, at, plain)
      if not first then break end
      pieces[#pieces + 1] = s:sub(at, first - 1)
      if n and #pieces == n then
         pieces[n] = s:sub(at)
         return pieces
      end
      at = last + 1
   end
   if at <= #s then pieces[#pieces + 1] = s:sub(at) end
   if #pieces == 1 and pieces[1] == '' then return {} end
   return pieces
end

function utils.splitv(...) return unpack(utils.split(...)) end

function utils.array_tostring(t, into, convert)
   into, convert = into or {}, convert or tostring
   for i = 1, #t do into[i] = convert(t[i], i) end
   return into
end

function utils.readfile(name, binary)
   utils.assert_string(1, name)
   local file, err = io.open(name, binary and 'rb' or 'r')
   if not file then return utils.raise(err) end
   local text
   text, err = file:read('*a')
   file:close()
   if not text then return utils.raise(name .. ': ' .. tostring(err)) end
   return text
end

function utils.writefile(name, text, binary)
   utils.assert_string(1, name)
   utils.assert_string(2, text)
   local file, err = io.open(name, binary and 'wb' or 'w')
   if not file then return utils.raise(err) end
   file:write(text)
   file:close()
   return true
end

function utils.readlines(name)
   utils.assert_string(1, name)
   local file, err = io.open(name, 'r')
   if not file then return utils.raise(err) end
   local lines = {}
   for line in file:lines() do lines[#lines + 1] = line end
   file:close()
   return lines
end

-- utils.quote_arg(word or list): words for a shell.
function utils.quote_arg(word)
   if type(word) == 'table' then
      local words = {}
      for i, each in ipairs(word) do words[i] = utils.quote_arg(each) end
      return table.concat(words, ' ')
   end
   if word ~= '' and not word:find('[^a-zA-Z0-9_@%%+=:,./-]') then return word end
   return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- utils.execute(command): whether it succeeded, and its exit code.
function utils.execute(command)
   local ok, _, code = os.execute(command)
   return ok == true, code
end

-- utils.executeex(command): the same and what it wrote to its two streams.
function utils.executeex(command, binary)
   local out, err = os.tmpname(), os.tmpname()
   local ok, code = utils.execute(('%s > %s 2> %s'):format(command, utils.quote_arg(out), utils.quote_arg(err)))
   local text, errors = utils.readfile(out, binary), utils.readfile(err, binary)
   os.remove(out)
   os.remove(err)
   return ok, code, text or '', errors or ''
end

-- utils.import(t[, into]): the entries of a table or module as globals.
function utils.import(t, into)
   into = into or _G
   for key, value in pairs(type(t) == 'string' and require(t) or t or utils) do
      if rawget(into, key) == nil then rawset(into, key, value) end
   end
end
