-- threads.serialize: values as the bytes that torch saves them in.
--
-- Arguments: core, host, serialize.

local _, _, serialize = ...
local torch = torch

function serialize.save(value)
   local file = torch.MemoryFile()
   file:binary():writeObject(value)
   local storage = file:storage()
   file:close()
   return storage
end

function serialize.load(storage)
   local file = torch.MemoryFile(storage)
   local value = file:binary():readObject()
   file:close()
   return value
end
