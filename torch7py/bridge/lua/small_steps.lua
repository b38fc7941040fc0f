-- Small criterions without leaving Lua.
--
-- A loss of a few numbers takes PyTorch some 40 us, and a loop of LuaJIT's less than 1. So criterions that a package has
-- described here (`criterion`) are served by such loops for inputs of few numbers: they read and write the tensors of the
-- criterion where these lie, so that both languages see what its own methods would have left. Python says whether anything
-- about the criterion is special (small_steps.py). Where the tensors are is asked once an epoch. Models have lists of
-- instructions instead (step_programs.lua).
--
-- What a criterion returns is a number, which Python is told before it does anything that could look at it.
--
-- Arguments: core, host, config, headers, tensor, peers, methods, records.
-- Result: the table `small`: criterion, and serve(name) -> f(c, ...) -> whether it did, results...

local core, host, config, headers, tensor, peers, methods, records = ...
local small = {}

local type, next, tonumber = type, next, tonumber
local getmetatable, setmetatable, rawget, gmatch, concat = getmetatable, setmetatable, rawget, string.gmatch, table.concat
local handle_of, native = core.handle_of, peers.native

local ffi = config.shared and require 'ffi' or nil
local CALLS = 2            -- of a criterion that Python serves before: many are made for one call
local MOST_MISSES = 20     -- calls in a row that could not be served
local MOST = 2500          -- numbers of an input
local MOST_NUMBERS = 80000 -- in all tensors of a criterion
local WORDS, WEAK = 4, {__mode = 'v'}

local descriptions = {}    -- key of a class -> what a package said of it

function small.criterion(key, description)
   local names = {'gradInput'}
   for name in gmatch(description.tensors or '', '%S+') do names[#names + 1] = name end
   description.names = names
   descriptions[key] = description
end

if not ffi or config.small_steps == false then
   function small.serve() return nil end
   return small
end

local cast, at_hand, count_dense, epoch = ffi.cast, headers.of, headers.count_dense, core.epoch
local new_entry, read_field, operations = methods.new_entry, peers.read_field, tensor.operations

---------------------------------------------------------------------------------------------------------
-- What is known of a criterion

local parts = setmetatable({}, {__mode = 'k'})     -- criterion -> its part, which does not hold it
local refused = setmetatable({}, {__mode = 'k'})   -- criterion -> what its record's classes come to where there is none

-- The part of a criterion in a tree that is as it was, nil where there can be none.
local function make(c, key, description, record)
   if record.now.passes ~= '' or methods.in_passes(methods.marked[c]) ~= '' or peers.table_fields[c] or rawget(c, 'modules') ~= nil then return nil end
   local names = description.names
   local quirk = description.quirk or ''
   local handle, address = core.raw(host.small_criterion, handle_of[c], key, concat(names, ' '), quirk)
   if handle == 0 then return nil end
   local part = {description = description, words = cast('int64_t*', address), names = names, epoch = -1, usable = false,
                 misses = 0}
   core.own(part, handle)
   peers.listen(handle_of[c], part)
   return part
end

local POINTERS = {ffi.typeof('double*'), ffi.typeof('float*')}
local BYTES = {8, 4}
local TYPES = {tensor.metatables['torch.DoubleTensor'], tensor.metatables['torch.FloatTensor']}
local float = ffi.new('float[1]')
local ROUND = {function(number) return number end, function(number)
   float[0] = number
   return tonumber(float[0])
end}

-- Ask Python where the tensors are.
local function find(part, c, record)
   records.tell_of_passes(record)
   part.epoch, part.unannounced, part.unsettled, part.operations = epoch[0], peers.unannounced(), false, nil
   local kind = core.raw(host.find_small_criterion, handle_of[part])
   part.usable = kind > 0
   if kind == 0 then return end
   part.mt, part.pointer, part.bytes, part.round = TYPES[kind], POINTERS[kind], BYTES[kind], ROUND[kind]
   part.is_plain, part.read = tensor.is_plain[part.mt], tensor.read[part.mt]
   local words, at = part.words, 0
   for i = 1, #part.names do
      local name = part.names[i]
      part[name] = words[at] ~= 0 and cast(POINTERS[kind], words[at]) or nil
      part[name .. '_at'], part[name .. '_dims'], part[name .. '_1'], part[name .. '_2'] =
         tonumber(words[at]), tonumber(words[at + 1]), tonumber(words[at + 2]), tonumber(words[at + 3])
      at = at + WORDS
   end
   local settle = part.description.settle
   if settle and not settle(part, c) then part.usable = false end
end

-- Whether the loops may read the tensors as they are (kernels/reading.lua). What Lua writes is as they need it; so that is
-- looked at again after Python has done something.
local function are_plain(part)
   if part.operations == operations.count then return part.plain end
   part.operations, part.plain = operations.count, false
   local count = 0
   for i = 1, #part.names do
      local name = part.names[i]
      if part[name] ~= nil then
         local n = part[name .. '_1'] * part[name .. '_2']
         count = count + n
         if count > MOST_NUMBERS or not part.is_plain(part[name], n) then return false end
      end
   end
   part.plain = true
   return true
end

-- The part to serve a call of a criterion by, brought up to date; nil where Python is to serve it.
local function part_for(c)
   local record = records.last(c)
   if not record or refused[c] == record.now or record.calls < CALLS then return nil end
   new_entry()
   if not records.is_current(record) then return nil end
   local part = parts[c]
   if not part or part.record_of[1] ~= record or part.passes ~= record.now.passes then
      local key = native(getmetatable(c)).key
      part = make(c, key, descriptions[key], record)
      parts[c] = part
      if not part then
         refused[c] = record.now
         return nil
      end
      part.record_of, part.passes = setmetatable({record}, WEAK), record.now.passes
   end
   if part.epoch ~= epoch[0] or part.unsettled or part.unannounced ~= peers.unannounced() then find(part, c, record) end
   return part.usable and (part.description.reads_few or are_plain(part)) and part or nil
end

-- A call that Python is to serve though there is a part. Where that is the rule, the part is of no use.
local function missed(c, part)
   part.misses = part.misses + 1
   if part.misses > MOST_MISSES and part.record_of[1] then refused[c] = part.record_of[1].now end
   return false
end

-- Pointer, dimensions, rows and columns of a tensor of the part's type that lies in one piece; nil for another.
local function matrix(part, x)
   if type(x) ~= 'userdata' or getmetatable(x) ~= part.mt then return nil end
   local h = at_hand(x)
   local dims = h.dims
   if dims ~= 1 and dims ~= 2 or not count_dense(h) then return nil end
   local rows, columns = 1, tonumber(h.size[0])
   if dims == 2 then rows, columns = columns, tonumber(h.size[1]) end
   if rows == 0 or columns == 0 then return nil end
   return cast(part.pointer, h.address), dims, rows, columns, tonumber(h.address)
end

-- Whether gradInput has the sizes of an input, and another place than it.
local function has_room(part, at, dims, rows, columns)
   if part.gradInput == nil or part.gradInput_dims ~= dims then return false end
   if dims == 1 and part.gradInput_1 ~= columns then return false end
   if dims == 2 and (part.gradInput_1 ~= rows or part.gradInput_2 ~= columns) then return false end
   local bytes, from = rows * columns * part.bytes, part.gradInput_at
   return at >= from + bytes or from >= at + bytes
end

---------------------------------------------------------------------------------------------------------
-- Methods

-- The numbers and small tensors that Python has not been told of: module -> its output.
local untold, count_untold = {}, 0

local function tell()
   if count_untold == 0 then return end
   local numbers = untold
   untold, count_untold = {}, 0
   for m, value in next, numbers do
      if handle_of[m] and type(value) == 'number' then
         host.set_number(handle_of[m], 'output', value)
      elseif handle_of[m] then
         peers.give_field(handle_of[m], 'output', value)
      end
   end
end
peers.tell_numbers = tell

local hand_over = core.hand_over
function core.hand_over()
   if count_untold > 0 then tell() end
   return hand_over()
end

local function keep_number(m, value)
   if untold[m] == nil then
      count_untold = count_untold + 1
      if count_untold > 100 then
         tell()
         count_untold = 1
      end
   end
   untold[m] = value
   peers.know_field(m, 'output', value)
end

-- Whether a criterion's loops may read an input. One that reads few numbers looks at each of them.
local function are_readable(part, x, n) return part.description.reads_few or part.is_plain(x, n) end

-- The output that a layer of a script's gives itself in each pass is told with the numbers, where it is small and no list of
-- instructions waits for it. Returns whether it is.
function peers.keep_output(m, value)
   if native(getmetatable(m)).key ~= 'nn.Module' or next(peers.listeners(m)) ~= nil then return false end
   if not tensor.kinds[getmetatable(value)] then return false end
   local h = at_hand(value)
   local n = h ~= nil and count_dense(h)
   if not n or n > MOST_NUMBERS then return false end
   keep_number(m, value)
   return true
end

-- A script gives a module another output.
function peers.forget_output(m)
   if untold[m] ~= nil then untold[m], count_untold = nil, count_untold - 1 end
end

local function loss(c, input, target)
   local part = part_for(c)
   if not part then return false end
   local x, dims, rows, columns = matrix(part, input)
   if not x or rows * columns > (part.description.most or MOST) or not are_readable(part, x, rows * columns) then return missed(c, part) end
   local value, weight = part.description.forward(part, x, dims, rows, columns, target)
   if not value then return missed(c, part) end
   part.misses = 0
   keep_number(c, value)
   if weight == nil then return true, value end
   return true, value, weight
end

local function slope(c, input, target)
   local part = part_for(c)
   if not part then return false end
   local x, dims, rows, columns, at = matrix(part, input)
   if not x or rows * columns > (part.description.most or MOST) or not has_room(part, at, dims, rows, columns) or not are_readable(part, x, rows * columns)
      or not part.description.backward(part, x, dims, rows, columns, target) then
      return missed(c, part)
   end
   part.misses = 0
   return true, read_field(c, handle_of[c], 'gradInput')
end

-- The numbers of a target, which may be a number itself: f(i) reads the i-th from 0. Nil where there are not `n`.
function small.numbers(target, n)
   if type(target) == 'number' then return n == 1 and function() return target end or nil end
   if type(target) ~= 'userdata' then return nil end
   local read = tensor.read[getmetatable(target)]
   local pointer = read and tensor.pointers[getmetatable(target)]
   if not pointer or not tensor.kinds[getmetatable(target)] then return nil end
   local h, step = at_hand(target), 1
   if h.dims == 1 and h.size[0] == n then
      step = tonumber(h.stride[0])   -- a column of a matrix, say
   elseif h.dims == 0 or count_dense(h) ~= n then
      return nil
   end
   local p = cast(pointer, h.address)
   return function(i) return read(p, i * step) end, h.dims
end

-- As `matrix`, of a tensor whose numbers a loop may read as they are.
function small.matrix(part, x)
   local p, dims, rows, columns = matrix(part, x)
   if p and part.is_plain(p, rows * columns) then return p, dims, rows, columns end
end

small.clear = ffi.fill

local METHODS = {forward = loss, updateOutput = loss, backward = slope, updateGradInput = slope}

-- The function that serves a method of this name.
function small.serve(name)
   local f = METHODS[name]
   return f and function(c, ...)
      local info = native(getmetatable(c))
      if not info or not descriptions[info.key] then return false end
      return f(c, ...)
   end
end

return small
