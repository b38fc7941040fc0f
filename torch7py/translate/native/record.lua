-- Notes what a program prints and draws, for a comparison with its translation.
--
-- Sets the global __torch7py_record: text (a list of pieces), places (of each the file and line that printed it), draws
-- (family -> list of numbers and tensors), filled (family -> the tensors themselves, by their place in the list), and
-- objects (of the program's own layers, in the order in which they were made). Families are those of what is drawn:
-- uniform, normal, whole, permutation, ... Every look at a clock is one second after the last one.

local record = {text = {}, places = {}, draws = {}, filled = {}, objects = {}}
__torch7py_record = record
local text, type, tostring, format = record.text, type, tostring, string.format
local istensor, typename = torch.isTensor, torch.typename
local tonumber, unpack, abs, max = tonumber, unpack, math.abs, math.max

local note_unscaled

local function note(family, value)
   local list = record.draws[family]
   if not list then
      list = {}
      record.draws[family] = list
      record.filled[family] = {}
   end
   if istensor(value) then record.filled[family][#list + 1] = value end
   list[#list + 1] = istensor(value) and value:clone() or value
   return value
end

-- An object may refuse to be asked for what it has not.
local function is_layer(value)
   local answers, method = pcall(function() return value.updateOutput end)
   return answers and method ~= nil
end

local function shown(value)
   if istensor(value) then
      local parts = {}
      local flat = value:contiguous():view(-1)
      for i = 1, math.min(flat:nElement(), 10000) do parts[i] = format('%.12g', flat[i]) end
      return '<tensor ' .. table.concat(parts, ' ') .. '>'
   end
   local class = typename(value) or ''
   if class:find('^torch%..*Storage$') and class ~= 'torch.LongStorage' then  -- a translation prints them as tensors
      local parts = {}
      for i, x in ipairs(value:totable()) do parts[i] = format('%.12g', x) end
      return '<tensor ' .. table.concat(parts, ' ') .. '>'
   end
   if class == 'torch.LongStorage' then
      return '<sizes ' .. table.concat(value:totable(), ' ') .. '>'
   end
   if type(value) == 'table' or type(value) == 'userdata' then
      if class ~= '' and not is_layer(value) then
         local said = tostring(value)  -- which may do something: a confusion matrix is evaluated
         if record.is_for_a_port then return said end
      end
      return '<' .. type(value) .. '>'
   end
   return type(value) == 'number' and format('%.14g', value) or tostring(value)
end

-- Forgets what came after the last line of print, and returns how many there were.
function record.up_to_last_line()
   for i = #text, (record.whole or 0) + 1, -1 do text[i], record.places[i] = nil, nil end
   return record.printed or 0
end

-- The line of the program that is being run, not one of a package.
local function place()
   local level = 3
   local found = debug.getinfo(level, 'Sl')
   while found do
      if found.source:sub(1, 1) == '@' and found.currentline > 0 then
         return found.source:match('[^/\\]*$'):gsub('^@', '') .. ':' .. found.currentline
      end
      level = level + 1
      found = debug.getinfo(level, 'Sl')
   end
   return ''
end

local function put(piece)
   text[#text + 1] = piece
   record.places[#text] = place()
end

-- The line that is being run, and behind a line break how many lines were printed: what else a port is compared by.
local counted, lines = 0, 0
function record.here()
   while counted < #text do
      counted = counted + 1
      local _, breaks = text[counted]:gsub('\n', '')
      lines = lines + breaks
   end
   return place() .. '\n' .. lines
end

-- With record.limit the program ends after so many lines of print, and with record.is_late at the first after that says so.
function print(...)
   -- a translation does not plot, and has nothing to say of it
   if type((...)) == 'string' and (...):find('^<Logger> warning') then return end
   local parts = {}
   for i = 1, select('#', ...) do parts[i] = shown((select(i, ...))) end
   put(table.concat(parts, '\t') .. '\n')
   record.printed, record.whole = (record.printed or 0) + 1, #text
   if record.is_late and record.is_late() then record.limit = record.limit or record.printed end
   if record.printed == record.limit then error('enough lines were printed', 0) end
end

-- A model's text is PyTorch's in a translation. A layer of the program's own may have one that is translated.
function _G.tostring(value)
   if type(value) == 'table' and typename(value) and is_layer(value) then
      local own = value.__tostring__ or value.__tostring
      if type(own) ~= 'function' or debug.getinfo(own, 'S').source:sub(1, 1) ~= '@' then return '<table>' end
   end
   return tostring(value)
end

-- A number of which two texts are equally near: LuaJIT writes the one that is farther from zero, C and Python the one with
-- an even last digit. The number to write instead, the next one to zero where that is another text.
local function for_even(conversion, precision, value)
   local whole, digits = format('%.99' .. conversion, abs(value)):match('^(%d+)%.(%d+)')
   if not digits or digits:sub(precision + 1, precision + 1) ~= '5' or digits:find('[1-9]', precision + 2) then
      return value
   end
   local last = (whole .. digits):sub(#whole + precision, #whole + precision)
   return tonumber(last) % 2 == 0 and value - value * 2^-53 or value
end

function string.format(pattern, ...)
   if type(pattern) ~= 'string' or not pattern:find('%.?%d*[efg]') then return format(pattern, ...) end
   local values, count, place = {...}, select('#', ...), 0
   for precision, conversion in pattern:gsub('%%%%', ''):gmatch('%%[-+ #0]*%d*(%.?%d*)(%a)') do
      place = place + 1
      local value = tonumber(values[place])
      local kept = precision == '' and 6 or tonumber(precision:sub(2)) or 0
      if value and conversion == 'f' and value * 2^(kept + 1) % 1 == 0 then
         values[place] = for_even('f', kept, value)
      elseif value and conversion:find('[eg]') then
         values[place] = for_even('e', conversion == 'g' and max(kept, 1) - 1 or kept, value)
      end
   end
   return format(pattern, unpack(values, 1, count))
end

-- A translation has no progress bars, and its tests are told by other words.
local function of_a_bar(level)
   local source = debug.getinfo(level + 1, 'S').source
   return source:find('^=%[torch7py%] xlua/xlua%.lua') ~= nil or source:find('^=%[torch7py%] torch/tester%.lua') ~= nil
end

function io.write(...)
   if of_a_bar(2) then return io.stdout end
   for i = 1, select('#', ...) do put(shown((select(i, ...)))) end
   return io.stdout
end

local methods_of_files = getmetatable(io.stdout).__index
local write = methods_of_files.write
function methods_of_files.write(file, ...)
   if file == io.stdout then
      if not of_a_bar(2) then io.write(...) end
      return file
   end
   return write(file, ...)
end

-- The program's own layers: each calls the constructor of nn.Module.
local class, init = torch.class
function torch.class(...)
   if not init and nn and nn.Module and nn.Module.__init then
      init = nn.Module.__init
      function nn.Module.__init(self, ...)
         record.objects[#record.objects + 1] = self
         return init(self, ...)
      end
   end
   return class(...)
end

local unnoted = torch.random

local function wrap(owner, name, family)
   local original = owner[name]
   if original then
      owner[name] = function(...)
         local value = note(family, (original(...)))
         if record.is_for_a_port then note_unscaled(name, family, value, ...) end
         return value
      end
   end
end

-- A port scales what it draws itself: it gets uniform numbers from 0 to 1, normal ones of mean 0 and deviation 1, and
-- whole ones from 0.
local unscaled = {uniform = 'unit', normal = 'standard', whole = 'offset'}
function note_unscaled(name, family, value, ...)
   local kind = unscaled[family]
   if not kind then return end
   local numbers = {}
   for i = 1, select('#', ...) do
      local each = select(i, ...)
      if type(each) == 'number' then numbers[#numbers + 1] = each end
   end
   local low, range = 0, 1
   if name == 'uniform' then
      low = numbers[1] or 0
      range = (numbers[2] or 1) - low
   elseif name == 'normal' then
      low, range = numbers[1] or 0, numbers[2] or 1
   elseif family == 'whole' then
      low = #numbers == 2 and numbers[1] or #numbers
   end
   local plain = value
   if istensor(value) then
      plain = value:double():clone():add(-low)
      if range ~= 1 then plain:div(range) end
   else
      plain = value - low
      if range ~= 1 then plain = plain / range end
   end
   local list = record.draws[kind] or {}
   record.draws[kind], record.filled[kind] = list, record.filled[kind] or {}
   list[#list + 1] = plain
   if istensor(value) then record.filled[kind][#list] = value end
end

-- Optim's functions change the weights by themselves: whoever watches is told when one has ended.
function record.for_a_port()
   record.is_for_a_port = true
   local find = require
   function require(name)
      local found = find(name)
      if name == 'optim' and not record.told then
         record.told = true
         for key, method in pairs(optim) do
            if type(method) == 'function' then
               optim[key] = function(...)
                  local results, count = {method(...)}, select('#', ...)
                  if count > 1 and istensor((select(2, ...))) then __torch7py_updated() end
                  return unpack(results)
               end
            end
         end
      end
      return found
   end
end

for name, family in pairs {rand = 'uniform', uniform = 'uniform', randn = 'normal', normal = 'normal',
   random = 'whole', randperm = 'permutation', multinomial = 'multinomial',
   exponential = 'exponential', cauchy = 'cauchy', logNormal = 'logNormal', geometric = 'geometric'} do
   wrap(torch, name, family)
end

-- What the program loads and has not saved itself: places and paths in turn.
local load, save, saved, note_loaded = torch.load, torch.save, {}, __torch7py_loaded
__torch7py_loaded = nil
record.loads = {}
function torch.load(path, ...)
   if not saved[path] then
      record.loads[#record.loads + 1] = place()
      record.loads[#record.loads + 1] = path
   end
   local value = load(path, ...)
   if not saved[path] then note_loaded(value) end
   return value
end
function torch.save(path, ...)
   saved[path] = true
   return save(path, ...)
end

-- What texts of JSON and data sets of HDF5 give: places, and what it is.
local note_read = __torch7py_read
__torch7py_read = nil
local function noting(name, read, seen)
   return function(...)
      local value = read(...)
      note_read(place() .. ' ' .. name, seen and seen(value) or value)
      return value
   end
end
-- A table with functions, of which nothing is noted, in the place of nulls.
local function without_nulls(value, null)
   if rawequal(value, null) then return noting end
   if type(value) ~= 'table' then return value end
   local copy = {}
   for key, entry in pairs(value) do copy[key] = without_nulls(entry, null) end
   return copy
end
local load_package = require
function require(name)
   local package = load_package(name)
   if (name == 'cjson' or name == 'hdf5') and not record[name] then
      record[name] = true
      if name == 'cjson' then
         local function seen(value) return without_nulls(value, package.null) end
         package.decode = noting('decode', package.decode, seen)
      end
      local DataSet = name == 'hdf5' and package.HDF5DataSet
      if DataSet then DataSet.all = noting('all', DataSet.all) end
   end
   return package
end

-- One number alone is `random.random() < p` in Python: 0 is less than every p, 1 less than none.
local bernoulli = torch.bernoulli
function torch.bernoulli(...)
   local value = bernoulli(...)
   if type(value) == 'number' then
      note('uniform', 1 - value)
      if record.is_for_a_port then note_unscaled('rand', 'uniform', 1 - value) end
   else
      note('bernoulli', value)
   end
   return value
end

for _, kind in ipairs {'Double', 'Float', 'Long', 'Int', 'Byte', 'Short', 'Char'} do
   local methods = torch.getmetatable('torch.' .. kind .. 'Tensor')
   for name, family in pairs {uniform = 'uniform', normal = 'normal', random = 'whole', bernoulli = 'bernoulli',
      exponential = 'exponential', cauchy = 'cauchy', logNormal = 'logNormal', geometric = 'geometric',
      rand = 'uniform', randn = 'normal', randperm = 'permutation', multinomial = 'multinomial'} do
      wrap(methods, name, family)
   end
end

-- nn draws a few numbers while it is loaded; they are no program's.
local noted, drawn = torch.random, unnoted
function torch.random(...)
   if debug.getinfo(2, 'S').source:find('^=%[torch7py%] nn/nn%.lua') then return drawn(...) end
   return (noted(...))
end

local random = math.random
function math.random(...)
   local value, family = random(...), select('#', ...) == 0 and 'uniform' or 'whole'
   if record.is_for_a_port then note_unscaled('random', family, value, ...) end
   return note(family, value)
end

-- Of a run of tests, which of them have passed.
local tester = torch.getmetatable('torch.Tester')
function tester:_report(tests)
   for name in pairs(tests) do
      local passed = self.assertionFail[name] == 0 and self.testError[name] == 0
      put(name .. (passed and ' passed' or ' failed') .. '\n')
   end
end

local now = 0
local function tick()
   now = now + 1
   return now
end

function torch.Timer()
   local timer, start = {}, tick()
   function timer:time()
      local real = tick() - start
      return {real = real, user = real, sys = 0}
   end
   function timer:reset()
      start = tick()
      return self
   end
   function timer:stop() return self end
   function timer:resume() return self end
   return timer
end

os.clock = tick
if sys then sys.clock = tick end
local time = os.time
function os.time(...)
   if select('#', ...) > 0 then return time(...) end
   return tick()
end

-- The day on which both sides run.
local date = os.date
function os.date(format, at) return date(format or '%c', at or 1e9) end

-- hide{name = true}: a program that asks by pcall whether one of these packages is there is told that it is not, as its
-- page is. One that needs it gets it.
function record.hide(names)
   local call, find = pcall, require
   function pcall(f, ...)
      if f == find and names[...] then return false, "module '" .. ... .. "' not found" end
      return call(f, ...)
   end
end
