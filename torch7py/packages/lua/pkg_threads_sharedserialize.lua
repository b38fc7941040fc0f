-- threads.sharedserialize: the same, with tensors, storages and counters as themselves. What is saved is loaded once.
--
-- The elements of a tds.Hash or tds.Vec belong to one Lua state: saving one is an error.
--
-- Arguments: core {raw, handle_of, fail, passed_counter}, host {state_share}, serialize.

local core, host, serialize = ...
local raw, handle_of, fail = core.raw, core.handle_of, core.fail
local torch = torch

local OF_ONE_STATE = {['tds.Hash'] = true, ['tds.Vec'] = true}

local function passed(value)
   local name = torch.typename(value)
   if name == 'tds.AtomicCounter' then return core.passed_counter(value) end
   if OF_ONE_STATE[name] then fail('threads.sharedserialize: a %s cannot be shared between threads here', name) end
   return value
end

local function sharing(file)
   raw(host.state_share, handle_of[file])
   return file:binary()
end

function serialize.save(value)
   local file = torch.MemoryFile()
   sharing(file):writeObject(value, nil, passed)
   local storage = file:storage()
   file:close()
   return storage
end

function serialize.load(storage)
   local file = torch.MemoryFile(storage)
   local value = sharing(file):readObject()
   file:close()
   return value
end
