-- Notes of what kind the values of chosen expressions are. An instrumented program calls it around them.
--
-- Arguments: limit (seconds after which the program is stopped), quiet (seconds without news after which it is).
-- Sets the globals __torch7py_saw = f(site, value) -> value, and __torch7py_made = f(origin, value) -> value, which
-- marks a table or a module by where it was made. Result: f() -> site, kinds (separated by blanks), site, kinds, ...
--
-- Kinds: nil, number, string, boolean, tensor@RANK, storage, timer, cmdline, class, function@LINE@LASTLINE@FILE,
-- and table, module, criterion, object as KIND@ORIGIN@CLASS; what is not known is empty.

local limit, quiet = ...
local clock, type, error, pairs, rawequal, concat = os.time, type, error, pairs, rawequal, table.concat
local setmetatable, getinfo = setmetatable, debug.getinfo
local istensor, typename, typeof, metatable = torch.isTensor, torch.typename, torch.isTypeOf, torch.getmetatable
local OFTEN = 200          -- looks at a site; after that its kinds count as known
local EVERY = 256          -- calls between looks at the clock

local NAMED = {['torch.Timer'] = 'timer', ['torch.CmdLine'] = 'cmdline'}
local seen, counts = {}, {}
local origins = setmetatable({}, {__mode = 'k'})
local start, calls = clock(), 0
local news = start

local function with_origin(kind, value, name)
   return kind .. '@' .. (origins[value] or '') .. '@' .. name
end

local function kind_of(value)
   local plain = type(value)
   if plain == 'function' then
      local info = getinfo(value, 'S')
      if info.what == 'C' then return 'function' end
      return ('function@%d@%d@%s'):format(info.linedefined, info.lastlinedefined, info.source)
   end
   if plain ~= 'table' and plain ~= 'userdata' and plain ~= 'cdata' then return plain end
   if istensor(value) then return 'tensor@' .. value:dim() end
   local name = typename(value)
   if name == nil then return plain == 'table' and with_origin('table', value, '') or plain end
   if rawequal(metatable(name), value) then return 'class' end
   if NAMED[name] then return NAMED[name] end
   if name:find('^torch%.%a+Storage$') then return 'storage' end
   if typeof(value, 'nn.Module') then return with_origin('module', value, name) end
   if typeof(value, 'nn.Criterion') then return with_origin('criterion', value, name) end
   return with_origin('object', value, name)
end

local function look_at_the_clock()
   calls = calls + 1
   if calls % EVERY == 0 then
      local now = clock()
      if now - start > limit or now - news > quiet then error('__torch7py_enough', 0) end
   end
end

function __torch7py_saw(site, value)
   look_at_the_clock()
   local count = (counts[site] or 0) + 1
   counts[site] = count
   if count <= OFTEN then
      local kinds = seen[site]
      if not kinds then
         kinds = {}
         seen[site] = kinds
      end
      local kind = kind_of(value)
      if not kinds[kind] then
         kinds[kind] = true
         news = clock()
      end
   end
   return value
end

function __torch7py_made(origin, value)
   look_at_the_clock()
   if type(value) == 'table' then origins[value] = origin end
   return value
end

return function()
   local found = {}
   for site, kinds in pairs(seen) do
      local names = {}
      for kind in pairs(kinds) do names[#names + 1] = kind:gsub(' ', '?') end
      found[#found + 1] = site
      found[#found + 1] = concat(names, ' ')
   end
   return found
end
