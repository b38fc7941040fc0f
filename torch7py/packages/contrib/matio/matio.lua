-- matio: files of MATLAB.
--
-- Arguments: core {fail}, host, matio.

local core, _, matio = ...
local fail = core.fail
local torch, type = torch, type
local load, save = matio._load, matio._save
matio._load, matio._save = nil, nil

matio.use_lua_strings = false      -- whether texts are strings, not tensors of their characters

-- matio.load(file[, name or {name, ...}])
function matio.load(file, names)
   if type(file) ~= 'string' then fail 'matio.load: the name of a file expected' end
   return load(file, names, matio.use_lua_strings and true or false)
end

-- matio.save(file, tensor), under the name x, or of {name = tensor, ...}
function matio.save(file, values)
   if torch.isTensor(values) then values = {x = values} end
   save(file, values)
end
