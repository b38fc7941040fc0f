-- Random calls: of every function of every package, every method of every class, and of layers made for it.
--
-- Arguments: the names of classes, how layers are made {class, text}, and two functions: `begin(text)` is told of a call
-- before it is made, `report(kind, text, message)` of what should not be. Result: a function that makes the call of a number.
local class_names, makers, begin, report = ...

local type, pairs, ipairs, select, tostring, pcall, unpack = type, pairs, ipairs, select, tostring, pcall, unpack
local floor, format, concat, sort, rawget = math.floor, string.format, table.concat, table.sort, rawget
local create, resume, getinfo, find, match, rep = coroutine.create, coroutine.resume, debug.getinfo, string.find, string.match, string.rep
local getmetatable, setmetatable, loadstring, assert = getmetatable, setmetatable, loadstring, assert
local clock, bytes_used, newproxy, coroutine_yield = os.clock, collectgarbage, newproxy, coroutine.yield
local torch, nn, is_tensor, typename = torch, nn, torch.isTensor, torch.typename

---------------------------------------------------------------------------------------------------------
-- What is not called: what ends the process, runs other programs or a whole suite of tests, removes files, waits, or changes
-- Lua for the calls after.

local OMITTED = {}
for name in ([[
   error assert    os.exit os.execute os.remove os.rename os.setlocale os.tmpname io.popen io.output io.input io.close io.read io.lines
   debug jit ffi setfenv getfenv module collectgarbage rawset setmetatable newproxy package.loadlib
   package.seeall sys.execute sys.fexecute sys.prun sys.sleep sys.usleep sys.fork paths.rmall paths.rmdir paths.remove
   paths.rename paths.execute paths.chdir lfs.chdir lfs.rmdir lfs.link torch.setnumthreads torch.setdefaulttensortype
   torch.setheaptracking torch.include torch.class torch.factory torch.metatype fuzz_calls
   posix signal dofile loadfile require pl.utils.quit pl.app posix os.getenv sundown torch.CmdLine
   cutorch.setHeapTracking strict pl.strict pl.compat.execute pl.utils.execute pl.utils.executeex pl.path.chdir pl.dir.rmtree
   pl.file.delete pl.file.move pl.path.rmdir pl.path.chdir pl.dir.clonetree pl.file.copy env xlua.require
   xlua.clearall xlua.clear xlua.print xlua.log trepl nn.rnn.test rnn.test dpnn.test
]]):gmatch('%S+') do OMITTED[name] = true end

local OMITTED_METHODS = {__gc = true, text = false}

---------------------------------------------------------------------------------------------------------
-- What is called: {name, function, class or nil}

local targets, seen = {}, {}

local function collect(prefix, t, depth)
   local names = {}
   for k, v in pairs(t) do
      if type(k) == 'string' then names[#names + 1] = k end
   end
   sort(names)
   for _, k in ipairs(names) do
      local v, name = rawget(t, k), prefix == '' and k or prefix .. '.' .. k
      if not OMITTED[name] and not OMITTED[k] then
         if type(v) == 'function' and not seen[v] then
            seen[v] = true
            targets[#targets + 1] = {name, v}
         elseif type(v) == 'table' and not seen[v] and depth < 3 and not find(name, '^package') and k ~= '_G' then
            seen[v] = true
            collect(name, v, depth + 1)
         end
      end
   end
end

local by_class = {}
for _, class in ipairs(class_names) do
   local mt = torch.getmetatable(class)
   local methods, known = {}, {}
   while type(mt) == 'table' do
      for k, v in pairs(mt) do
         if type(k) == 'string' and type(v) == 'function' and not known[k] and OMITTED_METHODS[k] == nil then
            known[k] = true
            methods[#methods + 1] = k
         end
      end
      mt = getmetatable(mt)
   end
   sort(methods)
   by_class[class] = methods
   if torch.getmetatable(class) then seen[torch.getmetatable(class)] = true end
end

collect('', _G, 0)
local loaded = {}
for name, t in pairs(package.loaded) do
   if type(t) == 'table' and type(name) == 'string' then loaded[#loaded + 1] = name end
end
sort(loaded)
for _, name in ipairs(loaded) do
   if not OMITTED[name] and not seen[package.loaded[name]] then
      seen[package.loaded[name]] = true
      collect(name, package.loaded[name], 1)
   end
end

local members = {}
for _, class in ipairs(class_names) do
   for _, method in ipairs(by_class[class]) do members[#members + 1] = {class, method} end
end

---------------------------------------------------------------------------------------------------------
-- Chance: all of a call follows from its number

local state
local function seeded(number)
   state = (number * 7919 + 12345) % 2147483646 + 1
   for _ = 1, 3 do state = (state * 16807) % 2147483647 end
end
local function draw(n)
   state = (state * 16807) % 2147483647
   return floor(state / 128) % n + 1
end
local function pick(t) return t[draw(#t)] end

---------------------------------------------------------------------------------------------------------
-- Arguments: makers that give a value and its description

local TYPES = {'Double', 'Double', 'Double', 'Float', 'Long', 'Byte', 'Int', 'Char', 'Short', 'Half'}
local HUGE = {2^31, 2^31 - 1, -2^31, 2^32, 2^53, -2^53, 2^62, 2^63, -2^63, 1e18, 1e300, -1e300, 1/0, -1/0, 1e9, 2^40}
local SMALL = {1, 1, 2, 2, 3, 4, 5, 7, 10}
local ODD = {0, -1, -2, 0.5, 1.5, -0.5, 0/0, 1e-300, -0.0, 100, 255, 256, 65536}
local STRINGS = {'', 'a', 'x', 'mean', 'torch.DoubleTensor', 'torch.FloatStorage', 'double', 'cuda', 'r', 'w', 'V', 'U', 'L', '%s %d %5.2f', '%', '[', '(', '%b',
   '^(.-)$', '\0', 'a\0b', '\255\254', 'nn.Linear', 'a.t7', 'no/such/file', '.', '1', '0x10', '1e999', 'nil', rep('long', 5000), rep('(', 300),
   rep('%a*', 200), '{1, 2', 'return 1', 'true', 'lua', '\27Lua', '\27LJ\2', 'weight'}
local SHAPES = {{}, {1}, {3}, {5}, {2, 3}, {3, 3}, {2, 3, 4}, {1, 2, 4, 4}, {2, 3, 5, 5}, {1, 1, 1, 1, 2}, {2, 0}, {20}, {4, 1}}

local function shown(v)
   if type(v) == 'string' then return #v > 40 and format('%q..(%d)', v:sub(1, 10), #v) or format('%q', v) end
   return tostring(v)
end

local make_any

local function make_number(largest)
   local kind = draw(20)
   if kind <= 12 then return pick(SMALL), true end
   if kind <= 17 then return pick(ODD), true end
   return pick(HUGE), false
end

local function new_tensor()
   local type_name, shape = pick(TYPES), pick(SHAPES)
   local constructor = torch[type_name .. 'Tensor']
   local x = #shape == 0 and constructor() or constructor(unpack(shape))
   local text = format('%s(%s)', type_name, concat(shape, 'x'))
   if x:nElement() == 0 then return x, text end
   local filled = draw(4)
   if filled == 1 then x:fill(1)
   elseif filled == 2 then x:fill(pick {0, 2, 3})
   elseif type_name ~= 'Half' then
      local at = 0
      x:apply(function() at = at + 1 return (at * 37 % 11) / 3 end)
   end
   if filled == 4 and (type_name == 'Double' or type_name == 'Float') then x:view(-1)[1] = pick {0/0, 1/0, -1, 2^40} end
   local view = draw(12)
   if view == 1 and x:dim() >= 2 then return x:t_any(), text .. ':t' end
   if view == 2 then
      x = constructor(1):fill(1)
      local sizes = pick {{3}, {2, 3}, {2^20, 2^20}, {5, 2^31}}
      return x:view(unpack(rep_one(#sizes))):expand(unpack(sizes)), text .. ':expand ' .. concat(sizes, 'x')
   end
   if view == 3 and x:size(1) > 1 then return x:narrow(1, 2, x:size(1) - 1), text .. ':narrow' end
   if view == 4 then
      local y = constructor(10):fill(1)
      y:set(y:storage(), draw(3), torch.LongStorage {2, 3}, torch.LongStorage {1, 1})
      return y, type_name .. ' overlapping'
   end
   if view == 5 then
      local s = x:storage()
      s:resize(1)
      return x, text .. ' of a cut storage'
   end
   return x, text
end
function rep_one(n)
   local t = {}
   for i = 1, n do t[i] = 1 end
   return t
end
for name in ('Double Float Long Byte Int Char Short Half'):gmatch('%S+') do
   torch.getmetatable('torch.' .. name .. 'Tensor').t_any = function(x) return x:transpose(1, x:dim()) end
end

local function new_storage()
   local name, n = pick(TYPES), draw(6) - 1
   local s = torch[name .. 'Storage'](n)
   if n > 0 then s:fill(draw(4)) end
   return s, format('%sStorage(%d)', name, n)
end

local function new_table(depth)
   local kind, t = draw(9), {}
   if kind == 1 then return t, '{}' end
   if kind == 2 then
      t[1], t.self = t, t
      return t, '{cyclic}'
   end
   if kind == 3 then
      for _ = 1, 5000 do t = {t} end
      return t, '{deep}'
   end
   if kind == 4 then return setmetatable({}, {__index = function() error('from __index') end, __tostring = function() error('from __tostring') end}), '{failing}' end
   if kind == 5 then return setmetatable({}, {__call = function(_, ...) return ... end, __tostring = function() return 5 end}), '{callable}' end
   local texts, small = {}, true
   for i = 1, draw(4) do
      local v, text, ok = make_any(depth + 1)
      texts[i], small = text, small and ok ~= false
      if kind == 6 then t[pick(STRINGS)] = v else t[i] = v end
   end
   return t, '{' .. concat(texts, ', ') .. '}', small
end

local FUNCTIONS = {
   {'f:nil', function() end}, {'f:1', function() return 1 end}, {'f:same', function(...) return ... end},
   {'f:error', function() error('from a function') end}, {'f:error table', function() error({}) end}, {'f:x, dx', function(x) return 1, x end},
   {'f:yield', function() coroutine_yield(1) end},
   {'f:table', function() return {} end}, {'print', tostring},
}

local function new_object()
   local maker = pick(makers)
   local f = assert(loadstring('return ' .. maker[2], '=maker'))
   local ok, made = pcall(f)
   if not ok then return nil, 'nil' end
   return made, maker[2]
end

function make_any(depth)
   local kind = draw(24)
   if kind <= 8 then return new_tensor() end
   if kind <= 15 then
      local v, small = make_number()
      return v, tostring(v), small
   end
   if kind <= 17 then
      local s = pick(STRINGS)
      return s, shown(s)
   end
   if kind == 18 then
      local f = pick(FUNCTIONS)
      return f[2], f[1]
   end
   if kind == 19 and depth < 3 then return new_table(depth) end
   if kind == 20 then return new_storage() end
   if kind == 21 then
      local v = draw(3)
      if v == 1 then return nil, 'nil' end
      return v == 2, tostring(v == 2)
   end
   if kind == 22 then
      local v = draw(5)
      if v == 1 then return create(function() end), 'thread' end
      if v == 2 then return newproxy(true), 'userdata' end
      if v == 3 then return io.stdout, 'io.stdout' end
      if v == 4 then return torch.Generator(), 'Generator' end
      return torch.MemoryFile(), 'MemoryFile'
   end
   if kind == 23 and depth < 2 then return new_object() end
   return pick(SMALL), 'small'
end

local function arguments()
   local n, values, texts, small = draw(6) - 1, {}, {}, true
   for i = 1, n do
      local v, text, ok = make_any(1)
      values[i], texts[i] = v, tostring(text)
      small = small and ok ~= false and not find(texts[i], 'expand') and not find(texts[i], 'deep')
   end
   return n, values, concat(texts, ', '), small
end

---------------------------------------------------------------------------------------------------------
-- Calls

local PYTHON = {'Traceback', '%.py[^%w]', 'torch7py/', 'RecursionError', 'AssertionError', 'INTERNAL ASSERT', 'lupa',
   'this is an error in torch7py'}
local MEMORY = {'not enough memory', 'out of memory', 'allocate', 'alloc'}

local function check(text, small, err)
   if type(err) ~= 'string' then
      return      -- a program may raise what it likes
   end
   local first = match(err, '^[^\n]*')
   -- LuaJIT's own of arguments that no function of the program's has passed on
   if find(first, '^%[builtin:') or find(first, '^table index is ') then return end
   if first == 'stack overflow' or first == "invalid key to 'next'" then return end
   if not find(first, '^[^:]*:%d+: ') and not find(first, '^%[string [^\n]*%]:%d+: ') then report('no place', text, first) end
   for _, pattern in ipairs(PYTHON) do
      if find(first, pattern) then report('python', text, first) break end
   end
   if small and not find(text, 'expand') then
      for _, pattern in ipairs(MEMORY) do
         if find(err, pattern) then report('memory', text, first) break end
      end
   end
end

local function attempt(text, small, f, ...)
   begin(text)
   local started = clock()
   -- In a coroutine of its own: a call may yield.
   local function call(...)
      local function results(...) return ... end
      return results(f(...))
   end
   local ok, done, err = resume(create(function(...) return pcall(call, ...) end), ...)
   if ok and done == false then check(text, small, err) end
   if not ok then check(text, small, done) end
   if small and clock() - started > 2 then report('slow', text, format('%.1f s', clock() - started)) end
   return ok and done, err
end

local function receiver_of(class)
   local base = match(class, '^torch%.(%a+)Tensor$')
   if base then
      for _ = 1, 20 do
         local x, text = new_tensor()
         if typename(x) == class then return x, text end
      end
      local constructor = torch[base .. 'Tensor']
      if constructor then return constructor(3, 3):fill(1), class .. '(3x3)' end
   end
   local made = {}
   for _, maker in ipairs(makers) do
      if maker[1] == class then made[#made + 1] = maker end
   end
   if #made > 0 and draw(3) > 1 then
      local maker = pick(made)
      local ok, object = pcall(assert(loadstring('return ' .. maker[2], '=maker')))
      if ok then return object, maker[2] end
   end
   local package, name = match(class, '^(%w+)%.(%w+)$')
   local constructor = package and _G[package] and _G[package][name]
   if constructor == nil then return end
   local n, values, text, small = arguments()
   text = format('%s(%s)', class, text)
   local ok, object = attempt(text, small, constructor, unpack(values, 1, n))
   if ok and object ~= nil then return object, text end
end

return function(number)
   seeded(number)
   local n, values, text, small
   if draw(3) == 1 then
      local target = pick(targets)
      n, values, text, small = arguments()
      attempt(format('%s(%s)', target[1], text), small, target[2], unpack(values, 1, n))
      return
   end
   local member = pick(members)
   local ok, object, name = pcall(receiver_of, member[1])
   if not ok or object == nil then return end
   local method = member[2]
   for _ = 1, draw(3) do
      n, values, text, small = arguments()
      attempt(format('%s:%s(%s)', name, method, text), small, function(...) return object[method](object, ...) end, unpack(values, 1, n))
      method = pick(by_class[member[1]])
   end
end, #targets, #members
