-- Models that Python has written down as instructions (nn/step_program.py), run in Lua.
--
-- A graph of small layers costs its calls, not its numbers. What its layers do to memory for inputs of one size is a list
-- of instructions; here the list becomes loops (instructions.lua), and a call of the model's method runs these: it
-- looks whether the tree is as it was, takes the memory of what it is given, and reads and writes where the layers' own methods
-- would have. Python says once an epoch whether the list still holds. Whatever does not fit goes to Python as
-- before, errors included.
--
-- Python is told of a run (`tell`) before anything there could look: what fields hold that hand on what came from outside,
-- and what the nodes of a graph were given.
--
-- Arguments: core, host, config, headers, tensor, reading, peers, methods, records, walking, chunk.
-- Result: {serve = f(method) -> f(m, ...) -> whether it did, results...}.

local core, host, config, headers, tensor, reading, peers, methods, records, walking, chunk = ...
local programs = {}

local type, next, unpack, tonumber, select, pcall, rawget, rawset = type, next, unpack, tonumber, select, pcall, rawget, rawset
local getmetatable, setmetatable = getmetatable, setmetatable
local handle_of, stand_in = core.handle_of, core.stand_in

local ffi = config.shared and require 'ffi' or nil
if not ffi or config.small_steps == false then
   function programs.serve() return nil end
   return programs
end

local cast, header, count_dense, epoch = ffi.cast, headers.of, headers.count_dense, core.epoch
local native, new_entry, read_field = peers.native, methods.new_entry, peers.read_field
local MOST_WAITS = 256     -- calls between two attempts to write a list where the last was of little use
local USED = 4             -- runs that make a list worth another
local LARGE = 1000         -- modules of a model that may be made for one run: its list takes as long to write as some runs in Python,
local FIRST_WAITS = 8     -- so it is written after as many calls of its methods
local WEAK = {__mode = 'v'}

-- By the numbers that Python gives types (step_programs.py)
local NUMBERS = {ffi.typeof('double'), ffi.typeof('float')}
local C_TYPES = {'double*', 'float*', 'int64_t*', 'int32_t*', 'int16_t*', 'int8_t*', 'uint8_t*'}
local BYTES = {8, 4, 8, 4, 2, 1, 1}
local WORDS = {ffi.typeof('int8_t*'), ffi.typeof('int16_t*'), nil, ffi.typeof('int32_t*'), [8] = ffi.typeof('int64_t*')}
local ARRAYS = {ffi.typeof('int8_t[?]'), ffi.typeof('int16_t[?]'), nil, ffi.typeof('int32_t[?]'), [8] = ffi.typeof('int64_t[?]')}
local POINTERS, TYPES, READ = {}, {}, {}
for i, name in next, {'Double', 'Float', 'Long', 'Int', 'Short', 'Char', 'Byte'} do
   POINTERS[i] = ffi.typeof(C_TYPES[i])
   TYPES[i], READ[i] = tensor.metatables['torch.' .. name .. 'Tensor'], reading.read[C_TYPES[i]]
end

---------------------------------------------------------------------------------------------------------
-- Instructions

ffi.cdef [[
   void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*, const double*, const int*,
               const double*, const int*, const double*, double*, const int*);
   void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*, const float*, const int*,
               const float*, const int*, const float*, float*, const int*);
   void dgemv_(const char*, const int*, const int*, const double*, const double*, const int*, const double*, const int*,
               const double*, double*, const int*);
   void sgemv_(const char*, const int*, const int*, const float*, const float*, const int*, const float*, const int*,
               const float*, float*, const int*);
   void daxpy_(const int*, const double*, const double*, const int*, double*, const int*);
   void saxpy_(const int*, const float*, const float*, const int*, float*, const int*);
   void vmdtanh_(const int*, const double*, double*, const int64_t*);
   void vmstanh_(const int*, const float*, float*, const int64_t*);
]]

-- What PyTorch's library for the CPU has to give for one type of number: of the BLAS that came with it gemm, gemv and axpy, and
-- of MKL tanh, by which PyTorch computes its own of few numbers.
local function functions(letter)
   local found, library = pcall(ffi.load, config.library)
   if not found then return {} end
   local function get(name)
      local there, f = pcall(function() return library[name] end)
      return there and f or nil
   end
   return {gemm = get(letter .. 'gemm_'), gemv = get(letter .. 'gemv_'), axpy = get(letter .. 'axpy_'), tanh = get('vm' .. letter .. 'tanh_')}
end

local makers, names = {}, nil

local function maker(kind)
   if not makers[kind] then
      if not names then
         names = {}
         for name in string.gmatch(host.step_instructions(), '%S+') do names[#names + 1] = name end
      end
      local library = functions(kind == 1 and 'd' or 's')
      makers[kind] = chunk('instructions.lua')(chunk, READ[kind], library, NUMBERS[kind])
      chunk('step_vectors.lua')(host, READ[kind], NUMBERS[kind], kind == 1 and 'd' or 'f', library.tanh, makers[kind])
   end
   return makers[kind]
end

---------------------------------------------------------------------------------------------------------
-- Lists

-- Reads numbers one after the other.
local function reader(address, n)
   local words, at = cast('double*', address), 0
   return function()
      at = at + 1
      return tonumber(words[at - 1])
   end
end

local function read_numbers(take)
   local numbers = {}
   for i = 1, take() do numbers[i] = take() end
   return numbers
end

local given_handles   -- those of what was given, defined below

-- A call of a function of Python's, which moves no tensor and looks at nothing that waits to be told.
local function call_python(program, number)
   return function(scale) core.raw(host.step_function, handle_of[program], number, scale or 1, given_handles(program)) end
end

local function read_lines(take, make, program)
   local code = {}
   for i = 1, take() do
      local name = names[take() + 1]
      local arguments = read_numbers(take)
      if name == 'call' then
         code[i] = arguments[1] + 1
      elseif name == 'python' then
         code[i] = call_python(program, arguments[1])
      else
         code[i] = make[name](program.pointers, arguments)
      end
   end
   return code
end

local CALLED = {'updateOutput', 'updateGradInput', 'accGradParameters'}

-- A value: {slot} of a tensor, from outside or, with its userdata, one that stays; {items = values} of a table, which a module
-- may keep.
local TABLE, OUTSIDE, STATIC = 1, 2, 3

local function read_value(take, tensors)
   local kind = take()
   if kind == TABLE then
      local table, items = take(), {}
      for i = 1, take() do items[i] = read_value(take, tensors) end
      return {items = items, table = table ~= 0 and core.wrap(table) or nil}
   elseif kind == OUTSIDE then
      return {slot = take()}
   end
   local u = core.wrap(take())
   tensors[#tensors + 1] = u
   return {tensor = u}
end

-- Take a list over from Python as it is now.
local function read_program(program, address, count)
   local take = reader(address, count)
   local kind = take()
   local make, pointers, written = maker(kind), {}, {}
   program.pointers, program.written = pointers, written
   for slot = 0, take() - 1 do
      local its_kind, place, bytes = take(), take(), take()
      if place ~= 0 then pointers[slot] = cast(POINTERS[its_kind], place) end
      if bytes ~= 0 then written[place] = bytes end
   end
   program.outside, program.tensors = {}, {}
   for i = 1, take() do
      local slot, its_kind, may_copy = take(), take(), take() ~= 0
      program.outside[i] = {slot = slot, kind = its_kind, may_copy = may_copy, sizes = read_numbers(take), views = {}}
      program.outside[slot .. ''] = program.outside[i]
   end
   for _ = 1, take() do
      local slot, base, bytes, its_kind = take(), take(), take(), take()
      local views = program.outside[base .. ''].views
      views[#views + 1] = {slot = slot, bytes = bytes, pointer = POINTERS[its_kind]}
   end
   program.indices = {}
   for i = 1, take() do program.indices[i] = {slot = take(), count = take(), limit = take()} end
   program.calls = {}
   for i = 1, take() do
      local call = {handle = take(), method = CALLED[take() + 1], arguments = {}}
      for j = 1, take() do call.arguments[j] = read_value(take, program.tensors) end
      if take() ~= 0 then call.result = read_value(take, program.tensors) end
      program.calls[i] = call
   end
   local listened = read_numbers(take)
   for i = 1, #listened do peers.listen(listened[i], program) end
   program.refreshed = read_numbers(take)   -- handles of modules whose fields change without a word
   program.input, program.output = read_value(take, program.tensors), read_value(take, program.tensors)
   if take() ~= 0 then program.number = {slot = take(), count = take(), share = take(), read = READ[kind]} end
   program.forward, program.again = read_lines(take, make, program), read_lines(take, make, program)
   -- A sequence goes back once, and gives a new table each time.
   program.before_backward, program.keeps_input, program.is_sequence, program.has_backward = take(), take() ~= 0, take() ~= 0, take() ~= 0
   if program.has_backward then
      program.gradOutput, program.gradInput = read_value(take, program.tensors), read_value(take, program.tensors)
      program.backward, program.gradients = read_lines(take, make, program), read_lines(take, make, program)
      program.zeroing, program.moving = read_lines(take, make, program), read_lines(take, make, program)
   end
end

-- A list holds as of now: what Python knows of its tensors stays known.
local function settled(program)
   local before, tensors, known = program.epoch, program.tensors, headers.cache
   for i = 1, #tensors do
      local h = known[tensors[i]]
      if h ~= nil and h.epoch == before then h.epoch = epoch[0] end
   end
   program.epoch, program.unsettled = epoch[0], false
end

-- A call into Python by which the tensors and tables of a module may become others.
local function ask(m, f, ...)
   local walked = walking.enter(m)
   local function done(...)
      walking.leave(walked)
      peers.fields_changed()
      return core.finish(...)
   end
   return done(walking.call(core.moving(f), core.pass_all(...)))
end

local function learn(m, input)
   local handle, address, count = ask(m, host.learn_steps, m, input)
   if not handle then return nil, handle == false end
   local program = {given = {}, hits = 0}
   core.own(program, handle)
   read_program(program, address, count)
   settled(program)
   return program
end

local function learn_backward(m, program, gradOutput)
   local address, count = ask(m, host.learn_steps_back, program, gradOutput)
   if not address then return false end
   read_program(program, address, count)
   settled(program)
   return true
end

---------------------------------------------------------------------------------------------------------
-- What comes from outside

local function has_sizes(h, sizes)
   if h.dims ~= #sizes then return false end
   for d = 1, #sizes do
      if h.size[d - 1] ~= sizes[d] then return false end
   end
   return true
end

local function copy_dimension(to, at, from, place, h, d)
   local size, step = tonumber(h.size[d]), tonumber(h.stride[d])
   if d == h.dims - 1 then
      for i = 0, size - 1 do to[at + i] = from[place + i * step] end
      return at + size
   end
   for i = 0, size - 1 do at = copy_dimension(to, at, from, place + i * step, h, d + 1) end
   return at
end

-- The elements of a tensor that does not lie in one piece, as the list has them; nil where it lies in what the list writes to.
local function copied(program, outside, h)
   local bytes = BYTES[outside.kind]
   local count, last = 1, 0
   for d = 0, h.dims - 1 do
      count, last = count * tonumber(h.size[d]), last + (tonumber(h.size[d]) - 1) * tonumber(h.stride[d])
   end
   local first = tonumber(h.address)
   for place, length in next, program.written do
      if place < first + (last + 1) * bytes and first < place + length then return nil end
   end
   outside.copy = outside.copy or ffi.new(ARRAYS[bytes], count)
   copy_dimension(outside.copy, 0, cast(WORDS[bytes], h.address), 0, h, 0)
   return cast('intptr_t', cast('void*', outside.copy))
end

-- Take the memory of a tensor as that of a slot. False where it is not as the list has it, or where the list writes there.
local function take_tensor(program, slot, u)
   local outside = program.outside[slot .. '']
   if type(u) ~= 'userdata' or getmetatable(u) ~= TYPES[outside.kind] then return false end
   local h = header(u)
   if not has_sizes(h, outside.sizes) then return false end
   local address = h.address
   if not count_dense(h) then
      address = address ~= 0 and outside.may_copy and copied(program, outside, h)
      if not address then return false end
   elseif program.written[tonumber(address)] then
      return false
   end
   program.given[slot] = u
   program.pointers[slot] = cast(POINTERS[outside.kind], address)
   local views = outside.views
   for i = 1, #views do program.pointers[views[i].slot] = cast(views[i].pointer, address + views[i].bytes) end
   return true
end

local function take_value(program, shape, value)
   if not shape.items then return shape.slot ~= nil and take_tensor(program, shape.slot, value) end
   if type(value) ~= 'table' or getmetatable(value) ~= nil or #value ~= #shape.items then return false end
   for i = 1, #value do
      if not take_value(program, shape.items[i], value[i]) then return false end
   end
   return true
end

-- Whether a value lies where the forward's did.
local function is_given(program, shape, value)
   if not shape.items then
      local outside = program.outside[shape.slot .. '']
      if type(value) ~= 'userdata' or getmetatable(value) ~= TYPES[outside.kind] then return false end
      local h, given = header(value), program.given[shape.slot]
      return has_sizes(h, outside.sizes) and (value == given or h.address == header(given).address and count_dense(h) ~= nil)
   end
   if type(value) ~= 'table' or #value ~= #shape.items then return false end
   for i = 1, #value do
      if not is_given(program, shape.items[i], value[i]) then return false end
   end
   return true
end

-- Take all that was given before the backward again, where it may have moved.
local function take_all_again(program)
   local outside = program.outside
   for i = 1, program.before_backward do
      local slot = outside[i].slot
      if not take_tensor(program, slot, program.given[slot]) then return false end
   end
   return true
end

local function value_of(program, shape)
   if shape.tensor then return shape.tensor end
   if shape.slot then return program.given[shape.slot] end
   local t, items = shape.table or {}, shape.items
   for i = 1, #items do t[i] = value_of(program, items[i]) end
   for i = #t, #items + 1, -1 do t[i] = nil end
   return t
end

-- The output of a criterion.
local function number_of(program)
   local number, sum = program.number, 0
   local p, read = program.pointers[number.slot], number.read
   for i = 0, number.count - 1 do sum = sum + read(p, i) end
   return sum / number.share
end

-- The handles of what was given, 0 for what was not.
function given_handles(program)
   local handles, outside = {}, program.outside
   for i = 1, #outside do
      local u = program.given[outside[i].slot]
      handles[i] = u ~= nil and handle_of[u] or 0
   end
   return unpack(handles, 1, #outside)
end

-- Whether all indices are in range.
local function are_indices(program)
   for i = 1, #program.indices do
      local index = program.indices[i]
      local p, read = program.pointers[index.slot], READ[program.outside[index.slot .. ''].kind]
      for at = 0, index.count - 1 do
         local value = read(p, at)
         if not (value >= 1 and value <= index.limit) or value % 1 ~= 0 then return false end
      end
   end
   return true
end

---------------------------------------------------------------------------------------------------------
-- Telling Python

local untold, count_untold = {}, 0   -- programs that have run -> their module's handle

local function tell_one(program)
   local moved = core.call(host.steps_done, program, program.result or false, program.returned or false, program.has_gradients or false,
                           program.has_gone_back or false, program.has_accumulated or false, given_handles(program))
   if moved then core.advance() end
end

local function tell()
   if count_untold == 0 then return end
   local all = untold
   untold, count_untold = {}, 0
   for program in next, all do tell_one(program) end
end

-- A field of a module is to be read.
local tell_numbers = peers.tell_numbers
function peers.tell_numbers(m)
   if count_untold > 0 then
      for program in next, peers.listeners(m) do
         if untold[program] then
            untold[program], count_untold = nil, count_untold - 1
            tell_one(program)
         end
      end
   end
   tell_numbers()
end

local hand_over = core.hand_over
function core.hand_over()
   if count_untold > 0 then tell() end
   return hand_over()
end

-- A field has the result of a run.
local function know(m, name, value)
   if type(value) == 'table' then
      if rawget(m, name) ~= nil then peers.keep_table_field(m, name, value) end
   else
      peers.know_field(m, name, value)
   end
end

local function note_run(root, program)
   if not untold[program] then
      untold[program], count_untold = true, count_untold + 1
   end
   local refreshed = program.refreshed
   for i = 1, #refreshed do
      local m = stand_in[refreshed[i]]
      if m then peers.forget_fields(m) end
      if m and m ~= root and peers.table_fields[m] then   -- a script has seen a table that is another now
         tell()
         walking.pull(m)
      end
   end
end

---------------------------------------------------------------------------------------------------------
-- Methods

-- module -> {record_of = {record}, ran = the program by which the last forward ran, now = the state of the moment, and
-- by what a pass may call of a script's the states: {model = this table, program, wait, patience}}
local models = setmetatable({}, {__mode = 'k'})

-- The module's next forward is not, or may not be, that of a list.
local function forget_run(m)
   if models[m] then models[m].ran = nil end
end

-- The state of a module whose tree is as it was, or has just been walked.
local function state_for(m)
   local known = models[m] and models[m].now
   if known and not known.program and known.wait > 0 then
      known.wait = known.wait - 1
      return nil
   end
   new_entry()
   if not walking.look(m) then
      walking.enter(m)
      if not walking.look(m) then return nil end
   end
   local record, model = records.last(m), models[m]
   if not model or model.record_of[1] ~= record then
      model = {record_of = setmetatable({record}, WEAK), states = {}}
      models[m] = model
   end
   local state = model.states[record.now.passes]
   if not state then
      state = {model = model, wait = record.size > LARGE and FIRST_WAITS or 0, patience = 1}
      model.states[record.now.passes] = state
   end
   if model.now ~= state then model.now, model.ran = state, nil end
   return state
end

-- Whether a list holds, by what Python says once an epoch.
local function holds(state, program)
   if program.epoch == epoch[0] and not program.unsettled then return true end
   records.tell_of_passes(state.model.record_of[1])
   local answer = core.raw(host.steps_hold, handle_of[program])
   if answer == 0 then return false end
   if answer == 2 then state.model.ran = nil end   -- Python has run the model meanwhile
   settled(program)
   return true
end

-- Forget a list that does not hold, or does not fit.
local function drop(state)
   local program = state.program
   if count_untold > 0 and untold[program] then tell() end
   state.program, state.model.ran = nil, nil
   state.patience = program.hits >= USED and 1 or math.min(2 * state.patience, MOST_WAITS)
   state.wait = state.patience
end

-- Call a script's method. Returns nil, or what the list cannot go on with.
local function call_script(program, call, scale)
   local m, x, g = stand_in[call.handle], value_of(program, call.arguments[1]), nil
   if call.arguments[2] then g = value_of(program, call.arguments[2]) end
   local result = m[call.method](m, x, g, scale)
   if call.result and not take_value(program, call.result, result) then return true, result end
   -- The script may have done anything.
   if program.epoch ~= epoch[0] or program.unsettled then
      if core.raw(host.steps_hold, handle_of[program]) == 0 then return true, result end
      settled(program)
   end
end

-- Run instructions. `way` is what Python needs to go on: true of a forward, the scale of a backward, false of one without.
-- Returns nothing, or true and the result with which Python has gone on.
local function run(m, program, code, scale, way)
   local calls = program.calls
   for i = 1, #code do
      local step = code[i]
      if type(step) == 'number' then
         local strays, result = call_script(program, calls[step], scale)
         if strays then
            result = core.call(host.steps_resume, program, step - 1, result, way, given_handles(program))
            core.advance()
            peers.fields_changed()
            return true, result
         end
      else
         step(scale)
      end
   end
end

local function forward(m, input)
   forget_run(m)
   local state = state_for(m)
   if not state then return false end
   local program = state.program
   if program and not holds(state, program) then
      drop(state)
      program = nil
   end
   if program and not take_value(program, program.input, input) then
      if count_untold > 0 and untold[program] then tell() end
      state.misses = (state.misses or 0) + 1
      if state.misses < USED then return false end
      drop(state)
      program = nil
   end
   if not program then
      if state.wait > 0 then return false end
      local is_useless
      program, is_useless = learn(m, input)
      if not program then
         state.patience = is_useless and math.huge or math.min(2 * state.patience, MOST_WAITS)
         state.wait = state.patience
         return false
      end
      state.program = program
      if not take_value(program, program.input, input) then return false end
   end
   if not are_indices(program) then return false end
   local strays, gone_on = run(m, program, program.forward, nil, true)
   if strays then
      drop(state)
      state.wait = math.huge
      return true, gone_on
   end
   program.hits, state.misses = program.hits + 1, 0
   state.model.ran, program.has_gone_back, program.has_accumulated = program, false, false
   local result = program.number and number_of(program) or value_of(program, program.output)
   program.result = type(result) == 'table' and result or nil
   note_run(m, program)
   know(m, 'output', result)
   return true, result
end

-- The state and the program for a way back after a forward of the same program.
local function way_back(m, input, gradOutput)
   local state = state_for(m)
   local program = state and state.program
   if not program or state.model.ran ~= program or program.is_sequence and program.has_gone_back then return nil end
   if not holds(state, program) then
      drop(state)
      return nil
   end
   if state.model.ran ~= program then return nil end
   if not program.has_backward then
      if not learn_backward(m, program, gradOutput) then
         drop(state)
         state.wait = math.huge   -- half a model in Lua and half in Python is slower than all in Python
         return nil
      end
   end
   if not take_all_again(program) or not are_indices(program) then return nil end
   if not program.keeps_input and not is_given(program, program.input, input) then return nil end
   if not take_value(program, program.gradOutput, gradOutput) then return nil end
   local again = program.again   -- copies what steps were given, which may have been overwritten since the forward
   for i = 1, #again do again[i]() end
   return program
end

local function gone_back(m, program)
   program.has_gone_back = true   -- since the last forward
   program.has_gradients = true   -- of the last backward, which stay over the next forward
   local result = value_of(program, program.gradInput)
   program.returned = type(result) == 'table' and result or nil
   note_run(m, program)
   know(m, 'gradInput', result)
   return true, result
end

local function backward(m, input, gradOutput, scale)
   if scale ~= nil and type(scale) ~= 'number' then return false end
   local program = way_back(m, input, gradOutput)
   if not program then return false end
   local strays, gone_on = run(m, program, program.backward, nil, scale or 1)
   if strays then
      local state = models[m].now
      drop(state)
      state.wait = math.huge
      return true, gone_on
   end
   run(m, program, program.gradients, scale or 1)
   program.has_accumulated = true
   return gone_back(m, program)
end

local function grad_input(m, input, gradOutput, ...)
   if select('#', ...) > 0 then return false end
   local program = way_back(m, input, gradOutput)
   if not program then return false end
   local strays, gone_on = run(m, program, program.backward, nil, false)
   if strays then
      local state = models[m].now
      drop(state)
      state.wait = math.huge
      return true, gone_on
   end
   return gone_back(m, program)
end

local function accumulate(m, input, gradOutput, scale)
   if scale ~= nil and type(scale) ~= 'number' then return false end
   local state = models[m] and models[m].now
   if not state or not state.program or not state.program.has_gone_back then return false end
   local program = way_back(m, input, gradOutput)
   if not program then return false end
   run(m, program, program.gradients, scale or 1)
   note_run(m, program)
   return true
end

-- Do to all parameters what `name` lists, where the model has run by a list that holds.
local function for_parameters(m, name, scale)
   if not models[m] or not models[m].now.program then return false end
   local state = state_for(m)
   local program = state and state.program
   local code = program and program[name]
   if not code or #code == 0 or not holds(state, program) then return false end
   for i = 1, #code do code[i](scale) end
   return true
end

local function zero_gradients(m, ...) return select('#', ...) == 0 and for_parameters(m, 'zeroing') end

local function update(m, rate) return type(rate) == 'number' and for_parameters(m, 'moving', -rate) end

local METHODS = {zeroGradParameters = zero_gradients, updateParameters = update, forward = forward, updateOutput = forward, backward = backward, updateGradInput = grad_input,
                 accGradParameters = accumulate}

-- To a list the input and the target of a criterion are a table, and there is no gradOutput.
local function by_target(f, c, input, target, ...)
   if target == nil or select('#', ...) > 0 then return false end
   return f(c, {input, target}, f ~= forward and {} or nil)
end

local roots   -- key of a class -> whether it is a criterion's, of those that Python may have instructions for

local function root(key)
   if not roots then
      roots = {}
      for name, takes_target in string.gmatch(host.step_classes(), '(%S+) (%d)') do roots[name] = takes_target == '1' end
   end
   return roots[key]
end

function programs.serve(name)
   local f = METHODS[name]
   return f and function(m, ...)
      local info = native(getmetatable(m))
      local takes_target = info and root(info.key)
      if takes_target == nil then return false end
      if methods.marked[m] and methods.in_passes(methods.marked[m]) ~= '' then
         forget_run(m)
         return false
      end
      if takes_target then return by_target(f, m, ...) end
      return f(m, ...)
   end
end

return programs
