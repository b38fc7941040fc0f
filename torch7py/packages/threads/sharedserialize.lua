-- threads.sharedserialize: the same, with tensors, storages and counters shared. A saved value can be loaded once.
--
-- The elements of a tds.Hash or tds.Vec belong to one Lua state: others get copies, and from then on none may be changed.
--
-- Arguments: core {raw, handle_of, passed_counter, freezing}, host {state_share}, serialize.

local core, host, serialize = ...
local raw, handle_of = core.raw, core.handle_of
local torch = torch

local function passed(value)
   return torch.typename(value) == 'tds.AtomicCounter' and core.passed_counter(value) or value
end

local function sharing(file)
   raw(host.state_share, handle_of[file])
   core.freezing[file] = true
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
