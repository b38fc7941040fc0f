-- mattorch: files of MATLAB as tensors whose dimensions are those of MATLAB turned round.
--
-- Arguments: core {fail}, host, mattorch.

local core, _, mattorch = ...
local fail = core.fail
local torch, type, pairs, pcall, table = torch, type, pairs, pcall, table
local matio = require 'matio'

local function turned(x)
   local order = {}
   for i = x:dim(), 1, -1 do order[#order + 1] = i end
   return #order > 1 and x:permute(table.unpack(order)):contiguous() or x
end

-- mattorch.load(file): a table of all variables; those that are no numbers or texts are the string `unsupported type`.
function mattorch.load(file)
   if type(file) ~= 'string' then fail 'mattorch.load: the name of a file expected' end
   local kept = matio.use_lua_strings
   matio.use_lua_strings = false
   local ok, contents = pcall(matio.load, file)
   matio.use_lua_strings = kept
   if not ok then fail('%s', contents) end
   local converted = {}
   for name, value in pairs(contents) do
      converted[name] = torch.isTensor(value) and turned(value) or 'unsupported type'
   end
   return converted
end

local function check(value)
   if torch.type(value) ~= 'torch.DoubleTensor' then
      fail('mattorch.save: a DoubleTensor expected, not a %s', torch.type(value))
   end
   return turned(value)
end

-- mattorch.save(file, tensor), under the name x, or of {name = tensor, ...}
function mattorch.save(file, values)
   if type(file) ~= 'string' then fail 'mattorch.save: the name of a file expected' end
   if torch.isTensor(values) then values = {x = values} end
   if type(values) ~= 'table' then fail 'mattorch.save: a tensor or a table of tensors expected' end
   local checked = {}
   for name, value in pairs(values) do
      if type(name) ~= 'string' then fail 'mattorch.save: a table of tensors by their names expected' end
      checked[name] = check(value)
   end
   matio.save(file, checked)
end

-- mattorch.saveAscii(file, tensor): a vector or a matrix as text.
function mattorch.saveAscii(file, value)
   if torch.type(value) ~= 'torch.DoubleTensor' or value:dim() > 2 then
      fail 'mattorch.saveAscii: a DoubleTensor of 1 or 2 dimensions expected'
   end
   local out = torch.DiskFile(file, 'w')
   for i = 1, value:size(1) do
      out:writeDouble(value:dim() == 2 and value[i]:clone():storage() or torch.DoubleStorage {value[i]})
   end
   out:close()
end
