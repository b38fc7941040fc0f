-- torch.save, torch.load and their kin: one object is one file, one string or one storage.
--
-- Arguments: core, host, class, torch.

local core, host, class, torch = ...

local type, pcall, error = type, pcall, error
local handle_of, wrap, raw, fail = core.handle_of, core.wrap, core.raw, core.fail

local MODES = {binary = true, ascii = true}
local LONGS = {b32 = 4, b64 = 8}

local function check_mode(mode, longs)
   mode = mode or 'binary'
   if MODES[mode] or longs and LONGS[mode] then return mode end
   fail(longs and "'binary', 'b32', 'b64' or 'ascii' (or nil) expected for mode"
        or "'binary' or 'ascii' (or nil) expected for mode")
end

local function check_referenced(referenced)
   if referenced ~= nil and type(referenced) ~= 'boolean' then fail('true or false (or nil) expected for referenced') end
   return referenced ~= false
end

local function set_mode(file, mode)
   if LONGS[mode] then return file:binary():longSize(LONGS[mode]) end
   return file[mode](file)
end

function torch.save(filename, object, mode, referenced)
   mode, referenced = check_mode(mode), check_referenced(referenced)
   if type(filename) ~= 'string' then fail('torch.save: a file name expected, got %s', class.type(filename)) end
   local file = set_mode(wrap(raw(host.t7_new_file, filename)), mode):referenced(referenced)
   local ok, err = pcall(file.writeObject, file, object)
   if not ok then
      raw(host.t7_discard, handle_of[file])
      error(err, 0)
   end
   file:close()
end

function torch.load(filename, mode, referenced)
   mode, referenced = check_mode(mode, true), check_referenced(referenced)
   local file = set_mode(torch.DiskFile(filename, 'r'), mode):referenced(referenced)
   local object = file:readObject()
   file:close()
   return object
end

local function written(object, mode)
   local file = set_mode(torch.MemoryFile(), check_mode(mode))
   file:writeObject(object)
   return file
end

function torch.serialize(object, mode) return raw(host.t7_content, handle_of[written(object, mode)]) end

function torch.serializeToStorage(object, mode)
   local file = written(object, mode)
   local storage = file:storage()
   storage:resize(storage:size() - 1)
   return storage
end

function torch.deserialize(text, mode)
   if type(text) ~= 'string' then fail('torch.deserialize: a string expected, got %s', class.type(text)) end
   local file = set_mode(wrap(raw(host.t7_memory_of, text)), check_mode(mode, true))
   local object = file:readObject()
   file:close()
   return object
end

function torch.deserializeFromStorage(storage, mode)
   local bytes = storage
   if torch.isTensor(storage) then bytes = storage:clone():storage() end
   return torch.deserialize(bytes:string(), mode)
end

torch.saveobj, torch.loadobj = torch.save, torch.load
