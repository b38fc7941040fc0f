-- Steps of small models without leaving Lua.
--
-- A forward of two layers on three numbers takes PyTorch some 40 us, and a loop of LuaJIT's less than 1. So a model of
-- few numbers, built of layers that a package has described here (`layer`, `container`, `criterion`), is served by such
-- loops: they read and write the tensors of the layers where these lie, so that both languages see what the layers' own
-- methods would have left. Python makes those tensors when sizes change, and says whether anything about the modules is
-- special (small_steps.py). Where the tensors are is asked once an epoch.
--
-- What a criterion returns is a number, which Python is told before it does anything that could look at it.
--
-- Arguments: core, host, config, headers, tensor, peers, methods, records, walking.
-- Result: the table `small`: layer, container, criterion, and serve(name) -> f(m, ...) -> whether it did, results...

local core, host, config, headers, tensor, peers, methods, records, walking = ...
local small = {}

local type, next, select, tonumber, unpack, gmatch = type, next, select, tonumber, unpack, string.gmatch
local getmetatable, setmetatable, rawget, concat = getmetatable, setmetatable, rawget, table.concat
local handle_of, native = core.handle_of, peers.native

local ffi = config.shared and require 'ffi' or nil
local CALLS = 2            -- of a criterion that Python serves before: many are made for one call
local MOST_MISSES = 20     -- calls in a row that a model could not serve
local WORK = 20000         -- multiplications and additions up to which the loops are faster
local MOST_NUMBERS = 4 * WORK   -- in all tensors: parameters, their gradients, outputs and gradInputs
local MOST_PARTS = 12      -- layers, and as many containers, one of which may hold itself
local WORDS, WEAK = 4, {__mode = 'v'}

local descriptions = {}    -- key of a class -> what a package said of it

function small.layer(key, description) descriptions[key] = description end
function small.container(key) descriptions[key] = {is_container = true} end
function small.criterion(key, description)
   description.is_criterion = true
   descriptions[key] = description
end

if not ffi or config.small_steps == false then
   function small.serve() return nil end
   return small
end

local cast, at_hand, count_dense, epoch = ffi.cast, headers.of, headers.count_dense, core.epoch
local new_entry, read_field, operations = methods.new_entry, peers.read_field, tensor.operations

---------------------------------------------------------------------------------------------------------
-- Models

-- The names of the tensors that the loops of some parts read and write: results, and what their descriptions add.
local function tensors_of(parts)
   local names, there = {}, {}
   local function add(text)
      for name in gmatch(text, '%S+') do
         if not there[name] then names[#names + 1], there[name] = name, true end
      end
   end
   add(parts[1].description.is_criterion and 'gradInput' or 'output gradInput')
   for i = 1, #parts do add(parts[i].description.tensors or '') end
   return names
end

local models = setmetatable({}, {__mode = 'k'})    -- module -> its model, which holds no modules
local refused = setmetatable({}, {__mode = 'k'})   -- module -> the record of its tree for which there is none

-- Gather the parts of a module and its containers. False where one is of a class that is not described.
local function gather(m, parts, containers, path)
   local c = getmetatable(m)
   local info = native(c)
   local description = info and descriptions[info.key]
   if not description or methods.marked[m] or peers.table_fields[m] or #parts == MOST_PARTS then return false end
   if not description.is_container then
      if rawget(m, 'modules') ~= nil then return false end
      parts[#parts + 1] = {module = m, description = description, key = info.key, path = path}
      return true
   end
   local list = rawget(m, 'modules')
   if type(list) ~= 'table' or #list == 0 or #containers == MOST_PARTS then return false end
   local container = {module = m, first = #parts}
   containers[#containers + 1] = container
   for i = 1, #list do
      local below = {unpack(path)}
      below[#below + 1] = i
      if not gather(list[i], parts, containers, below) then return false end
   end
   container.last = #parts - 1
   return true
end

-- The model of a module in a tree that is as it was, nil where there can be none.
local function make(m)
   local parts, containers = {}, {}
   if not gather(m, parts, containers, {}) then return nil end
   local keys, handles, seen = {}, {}, {}
   for i = 1, #parts do
      local part = parts[i]
      if seen[part.module] or (part.description.is_criterion and #parts > 1) then return nil end
      seen[part.module] = true
      keys[i], handles[i] = part.key, handle_of[part.module]
      part.module = nil   -- a model must not hold modules
   end
   for i = 1, #containers do
      local c = containers[i]
      handles[#handles + 1], handles[#handles + 2], handles[#handles + 3] = handle_of[c.module], c.first, c.last
   end
   local names, quirk = tensors_of(parts), #parts == 1 and parts[1].description.quirk or ''
   local handle, address = core.raw(host.small_model, concat(names, ' '), concat(keys, ' '), quirk, #parts, unpack(handles))
   if handle == 0 then return nil end
   local model = {parts = parts, words = cast('int64_t*', address), names = names, epoch = -1, usable = false, misses = 0}
   core.own(model, handle)
   return model
end

local POINTERS = {ffi.typeof('double*'), ffi.typeof('float*')}
local BYTES = {8, 4}
local TYPES = {tensor.metatables['torch.DoubleTensor'], tensor.metatables['torch.FloatTensor']}

-- The module of a part of a model of `m`.
local function module_of(m, part)
   for i = 1, #part.path do m = rawget(m, 'modules')[part.path[i]] end
   return m
end

-- Ask Python where the tensors are.
local function find(model, m)
   model.epoch, model.settings, model.operations, model.dims = epoch[0], peers.settings(), nil, nil   -- all is worked out anew
   local kind = core.raw(host.find_small_model, handle_of[model])
   model.usable = kind > 0
   if kind == 0 then return end
   model.apart = {output = kind % 8 >= 4, gradInput = kind >= 8}
   kind = kind % 4
   model.mt, model.pointer, model.bytes = TYPES[kind], POINTERS[kind], BYTES[kind]
   model.is_plain = tensor.is_plain[model.mt]
   local words, at, pointer = model.words, 0, POINTERS[kind]
   for i = 1, #model.parts do
      local part = model.parts[i]
      for j = 1, #model.names do
         local name = model.names[j]
         part[name] = words[at] ~= 0 and cast(pointer, words[at]) or nil
         part[name .. '_at'], part[name .. '_dims'], part[name .. '_1'], part[name .. '_2'] =
            tonumber(words[at]), tonumber(words[at + 1]), tonumber(words[at + 2]), tonumber(words[at + 3])
         at = at + WORDS
      end
      local settle = part.description.settle
      if settle and not settle(part, module_of(m, part)) then model.usable = false end
   end
end

-- Whether the loops may read the tensors of all parts as they are (kernels/reading.lua). What Lua writes is as they need it;
-- so that is looked at again after Python has done something.
local function are_plain(model)
   if model.operations == operations.count then return model.plain end
   model.operations, model.plain = operations.count, false
   local count = 0
   for i = 1, #model.parts do
      local part = model.parts[i]
      for j = 1, #model.names do
         local name = model.names[j]
         if part[name] ~= nil then
            local n = part[name .. '_1'] * part[name .. '_2']
            count = count + n
            if count > MOST_NUMBERS or not model.is_plain(part[name], n) then return false end
         end
      end
   end
   model.plain = true
   return true
end

-- The model to serve a call of a module by, brought up to date; nil where Python is to serve it.
local function model_for(m)
   local record, is_criterion = records.last(m), descriptions[native(getmetatable(m)).key].is_criterion
   if not record then
      if is_criterion or not gather(m, {}, {}, {}) then return nil end   -- before it is walked for nothing
      walking.enter(m)
      record = records.last(m)
      if not record then return nil end
   end
   if refused[m] == record or is_criterion and record.calls < CALLS then return nil end
   new_entry()
   if not records.is_current(record) then return nil end
   local model = models[m]
   if not model or model.record_of[1] ~= record then
      model = make(m)
      models[m] = model
      if not model then
         refused[m] = record
         return nil
      end
      model.record_of = setmetatable({record}, WEAK)
   end
   if model.epoch ~= epoch[0] or model.settings ~= peers.settings() then find(model, m) end
   return model.usable and are_plain(model) and model or nil
end

-- A call that Python is to serve though there is a model. Where that is the rule, the model is of no use.
local function missed(m, model)
   model.misses = model.misses + 1
   if model.misses > MOST_MISSES then refused[m] = model.record_of[1] end
   return false
end

-- Pointer, dimensions, rows and columns of a tensor of the model's type that lies in one piece; nil for another.
local function matrix(model, x)
   if type(x) ~= 'userdata' or getmetatable(x) ~= model.mt then return nil end
   local h = at_hand(x)
   local dims = h.dims
   if dims ~= 1 and dims ~= 2 or not count_dense(h) then return nil end
   local rows, columns = 1, tonumber(h.size[0])
   if dims == 2 then rows, columns = columns, tonumber(h.size[1]) end
   if rows == 0 or columns == 0 then return nil end
   return cast(model.pointer, h.address), dims, rows, columns, tonumber(h.address)
end

-- Whether a tensor at this address overlaps one of a part's.
local function overlaps(model, at, n, part, name)
   local bytes = n * model.bytes
   local from = part[name .. '_at']
   return at < from + part[name .. '_1'] * part[name .. '_2'] * model.bytes and from < at + bytes
end

local function is_like(part, name, dims, rows, columns)
   if part[name] == nil or part[name .. '_dims'] ~= dims then return false end
   if dims == 1 then return part[name .. '_1'] == columns end
   return part[name .. '_1'] == rows and part[name .. '_2'] == columns
end

-- Whether the model's layers take inputs of this size, and are small enough. They remember their widths.
local function fits(model, dims, rows, columns)
   if model.dims == dims and model.rows == rows and model.columns == columns then return model.fitting end
   model.dims, model.rows, model.columns, model.fitting, model.ready = dims, rows, columns, false, {}
   local width, work = columns, 0
   for i = 1, #model.parts do
      local part = model.parts[i]
      local wider = part.description.width(part, width)
      if not wider then return false end
      work = work + rows * (part.weight ~= nil and wider * width or 8 * wider)
      part.columns, part.width, width = width, wider, wider
   end
   model.width, model.fitting = width, work <= WORK
   return model.fitting
end

local WIDTHS = {output = 'width', gradInput = 'columns'}

-- `first`: the number of the first part that counts.
local function has_room(model, name, dims, rows, first)
   if model.apart[name] then return false end
   for i = first or 1, #model.parts do
      local part = model.parts[i]
      if not is_like(part, name, dims, rows, part[WIDTHS[name]]) then return false end
   end
   return true
end

-- See to it that there are outputs, or gradInputs, of the right sizes for an input that fits. Where there are none Python
-- makes them. Returns whether Lua can write them.
local function make_room(model, m, name, dims, rows, columns)
   if model.ready[name] then return true end
   if not has_room(model, name, dims, rows) then
      local sizes = {}
      for i = 1, #model.parts do
         if model.parts[i][name .. '_dims'] < 0 then return false end   -- the script has set it to nil
         if dims == 2 then sizes[#sizes + 1] = rows end
         sizes[#sizes + 1] = model.parts[i][WIDTHS[name]]
      end
      core.hand_over()
      core.raw(host.make_room, handle_of[model], name, unpack(sizes))
      core.advance()
      peers.fields_changed()
      find(model, m)
      if not model.usable or not fits(model, dims, rows, columns) or not has_room(model, name, dims, rows) then return false end
   end
   model.ready[name] = true
   return true
end

---------------------------------------------------------------------------------------------------------
-- Methods of layers

local function forward(m, input)
   local model = model_for(m)
   if not model then return false end
   local _, dims, rows, columns = matrix(model, input)
   if not dims or not fits(model, dims, rows, columns) or not make_room(model, m, 'output', dims, rows, columns) then
      return missed(m, model)
   end
   local x, _, _, _, at = matrix(model, input)   -- making room may have moved it
   local parts = model.parts
   if overlaps(model, at, rows * columns, parts[1], 'output') or not model.is_plain(x, rows * columns) then
      return missed(m, model)
   end
   for i = 1, #parts do
      local part = parts[i]
      part.description.forward(part, x, rows, part.columns)
      x = part.output
   end
   model.misses = 0
   return true, read_field(m, handle_of[m], 'output')
end

-- For a pass back: the model, the pointers to input and gradient, and how many rows. Nil where Python is to serve it. One that
-- is not to the input goes by what the last one to it has left.
local function way_back(m, input, gradOutput, scale, to_input)
   local model = model_for(m)
   if not model or scale ~= nil and type(scale) ~= 'number' then return nil end
   local _, dims, rows, columns = matrix(model, input)
   local _, its_dims, its_rows, its_columns = matrix(model, gradOutput)
   if not dims or not fits(model, dims, rows, columns) or not has_room(model, 'output', dims, rows)
      or its_dims ~= dims or its_rows ~= rows or its_columns ~= model.width
      or not (to_input and make_room(model, m, 'gradInput', dims, rows, columns)
              or not to_input and has_room(model, 'gradInput', dims, rows, 2)) then
      missed(m, model)
      return nil
   end
   local x, _, _, _, at = matrix(model, input)
   local g, _, _, _, its_at = matrix(model, gradOutput)
   local parts = model.parts
   -- a layer writes its gradInput before it has read the last of x and g
   if overlaps(model, at, rows * columns, parts[1], 'gradInput')
      or overlaps(model, its_at, rows * its_columns, parts[#parts], 'gradInput')
      or not model.is_plain(x, rows * columns) or not model.is_plain(g, rows * its_columns) then
      missed(m, model)
      return nil
   end
   model.misses = 0
   return model, x, g, rows
end

-- Whether each parameter has a gradient of its size.
local function has_gradients(model)
   for i = 1, #model.parts do
      local lacks_gradient = model.parts[i].description.lacks_gradient
      if lacks_gradient and lacks_gradient(model.parts[i]) then return false end
   end
   return true
end

-- From the last part to the first, `to_input` and `to_parameters` as asked for.
local function go_back(m, input, gradOutput, scale, to_input, to_parameters)
   local model, x, g, rows = way_back(m, input, gradOutput, scale, to_input)
   if not model or to_parameters and not has_gradients(model) then return false end
   local parts = model.parts
   for i = #parts, 1, -1 do
      local part = parts[i]
      local its_input, description = i > 1 and parts[i - 1].output or x, part.description
      if to_input then description.backward(part, its_input, g, rows, part.columns) end
      if to_parameters and description.accumulate then
         description.accumulate(part, its_input, g, rows, part.columns, scale or 1)
      end
      g = part.gradInput
   end
   return true
end

local function backward(m, input, gradOutput, scale)
   if not go_back(m, input, gradOutput, scale, true, true) then return false end
   return true, read_field(m, handle_of[m], 'gradInput')
end

local function grad_input(m, input, gradOutput, ...)
   if select('#', ...) > 0 or not go_back(m, input, gradOutput, nil, true, false) then return false end
   return true, read_field(m, handle_of[m], 'gradInput')
end

local function accumulate(m, input, gradOutput, scale)
   return go_back(m, input, gradOutput, scale, false, true)
end

-- f(parameter, gradient, how many numbers) for all parameters. False where one has no gradient, or there are many.
local function for_parameters(model, f, argument)
   local parts, count = model.parts, 0
   for i = 1, #parts do
      local part = parts[i]
      if part.weight ~= nil then count = count + part.weight_1 * part.weight_2 end
      if (part.weight ~= nil) ~= (part.gradWeight ~= nil) or (part.bias ~= nil) ~= (part.gradBias ~= nil) then return false end
   end
   if count > WORK then return false end
   for i = 1, #parts do
      local part = parts[i]
      if part.weight ~= nil then f(part.weight, part.gradWeight, part.weight_1 * part.weight_2, argument) end
      if part.bias ~= nil then f(part.bias, part.gradBias, part.bias_1 * part.bias_2, argument) end
   end
   return true
end

local function clear(_, gradient, n)
   for i = 0, n - 1 do gradient[i] = 0 end
end

local function zero_gradients(m, ...)
   local model = select('#', ...) == 0 and model_for(m)
   if not model or model.parts[1].description.is_criterion then return false end
   return for_parameters(model, clear)
end

local function move(parameter, gradient, n, rate)
   for i = 0, n - 1 do parameter[i] = parameter[i] - rate * gradient[i] end
end

local function update(m, rate)
   local model = type(rate) == 'number' and model_for(m)
   if not model or model.parts[1].description.is_criterion then return false end
   return for_parameters(model, move, rate)
end

---------------------------------------------------------------------------------------------------------
-- Methods of criterions

-- The numbers that Python has not been told of: module -> its output.
local untold, count_untold = {}, 0

local function tell()
   if count_untold == 0 then return end
   local numbers = untold
   untold, count_untold = {}, 0
   for m, value in next, numbers do
      if handle_of[m] then host.set_number(handle_of[m], 'output', value) end
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

local function loss(m, input, target)
   local model = model_for(m)
   if not model then return false end
   local part = model.parts[1]
   if not part.description.is_criterion then return false end
   local x, dims, rows, columns = matrix(model, input)
   if not x or rows * columns > WORK / 8 or not model.is_plain(x, rows * columns) then return missed(m, model) end
   local value, weight = part.description.forward(part, model, x, dims, rows, columns, target)
   if not value then return missed(m, model) end
   model.misses = 0
   keep_number(m, value)
   if weight == nil then return true, value end
   return true, value, weight
end

local function slope(m, input, target)
   local model = model_for(m)
   if not model then return false end
   local part = model.parts[1]
   if not part.description.is_criterion then return false end
   local x, dims, rows, columns, at = matrix(model, input)
   if not x or rows * columns > WORK / 8 or not is_like(part, 'gradInput', dims, rows, columns) then return missed(m, model) end
   if overlaps(model, at, rows * columns, part, 'gradInput') or not model.is_plain(x, rows * columns) then
      return missed(m, model)
   end
   if not part.description.backward(part, model, x, dims, rows, columns, target) then return missed(m, model) end
   model.misses = 0
   return true, read_field(m, handle_of[m], 'gradInput')
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
function small.matrix(model, x)
   local p, dims, rows, columns = matrix(model, x)
   if p and model.is_plain(p, rows * columns) then return p, dims, rows, columns end
end

local OF_MODULES = {forward = forward, updateOutput = forward, backward = backward, updateGradInput = grad_input,
                    accGradParameters = accumulate, zeroGradParameters = zero_gradients, updateParameters = update}
local OF_CRITERIONS = {forward = loss, updateOutput = loss, backward = slope, updateGradInput = slope}

-- The function that serves a method of this name, of modules or of criterions.
function small.serve(name)
   local of_modules, of_criterions = OF_MODULES[name], OF_CRITERIONS[name]
   if not of_modules and not of_criterions then return nil end
   return function(m, ...)
      local info = native(getmetatable(m))
      local description = info and descriptions[info.key]
      if not description then return false end
      local f = description.is_criterion and of_criterions or not description.is_criterion and of_modules
      if not f then return false end
      return f(m, ...)
   end
end

return small
