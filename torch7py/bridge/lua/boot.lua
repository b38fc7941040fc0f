-- Start: loads the other chunks in order and builds the environment of a script.
--
-- Arguments: host (Python functions), config (tables of plain values), chunk (name -> function of that file), keep_globals
-- (lets such files have the globals as they are then, whatever a script makes of them).
-- Result: the functions that Python calls.

local host, config, chunk, keep_globals = ...

-- Beyond its limits LuaJIT throws all compiled code away; its own are for small programs.
if jit and jit.opt then jit.opt.start('maxtrace=8000', 'maxmcode=16384') end

local functions = {}           -- what Python calls
local core = chunk('core.lua')(host)
chunk('values.lua')(core, host)
chunk('calls.lua')(core)
local class = chunk('class.lua')(core)
local headers = chunk('header.lua')(core, host, config)
core.advance = headers.advance
local reading = chunk('torch7py.kernels/reading.lua')()
local tensor = chunk('tensor.lua')(core, host, config, headers, reading, chunk)
local module = chunk('module.lua')(core, host, config, class, headers, tensor, reading, chunk)
module.set_virtual(config.virtual)
module.set_beside_passes(config.beside_passes)

local loops = chunk('loops.lua')(config, headers, tensor, chunk)
chunk('compat.lua')()
chunk('rounding.lua')()
functions.redirect, functions.buffer_output = chunk('output.lua')(host)
if config.several then chunk('one_writer.lua')(host) end
local torch = chunk('torch.lua')(core, host, config, class, headers, tensor, module, loops)
core.method = tensor.method
chunk('elements.lua')(core, host, config, headers, tensor, torch)
chunk('objects.lua')(core, host, class, tensor).publish('torch', torch)
local packages = chunk('packages.lua')(core, host, class, module, torch, chunk)
local program = chunk('program.lua')(core, host, config, class, module, packages, chunk)
for name, f in next, chunk('value_conversion.lua')(core, host, module, program) do functions[name] = f end
chunk('interrupts.lua')(core, host)
keep_globals()

local inner = {
   call_function = core.call_function,
   call_method = core.call_method,
   call_parent_method = core.call_parent_method,
   call_with_each = core.call_with_each,
   print = core.print,
   table_get = core.table_get,
   table_pick = core.table_pick,
   table_set = core.table_set,
   table_keys = core.table_keys,
   map_tensors = function(handle, convert)
      return core.answer(pcall(module.map_tensors, handle, convert))
   end,
   show_children = function(handle) return core.answer(pcall(module.show_children, handle)) end,
   own_modules = function(handle) return core.answer(pcall(module.own_modules, handle)) end,
   own_fields = function(handle) return core.answer(pcall(module.own_fields, handle)) end,
   new_memo = function() return true, 0, core.refer({}) end,
   copy_fields = function(from, to, number, memo, step, is_clone)
      return core.answer(pcall(module.copy_fields, from, to, number, core.referred(memo), step, is_clone))
   end,
   saved_and_read = function(handle, step) return core.call_of(handle, module.saved_and_read, step) end,
   run = program.run,
   take_process = program.take_process,
   evaluate = program.evaluate,
   abandon = core.abandon,
   set_global = program.set_global,
}
for name, f in next, inner do functions[name] = f end
return functions
