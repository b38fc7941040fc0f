-- torchx: functions over nested tables of tensors, a queue, and the index of a folder's files.
--
-- Arguments: core {fail}, host, torchx, chunk. The packages paths and sys are loaded before.

local core, _, torchx, chunk = ...
local fail = core.fail

local type, pairs, ipairs = type, pairs, ipairs
local torch, paths = torch, paths
local find_files, rows_of = torchx._find, torchx._rows
torchx._find, torchx._rows = nil, nil

torchx.version = 1
local has_ffi, ffi = pcall(require, 'ffi')
if has_ffi then rawset(_G, 'ffi', ffi) end      -- a global that the original leaves behind
for name, f in pairs(chunk('nested_tensors.lua')(core)) do torchx[name] = f end
chunk('tensors.lua')(core)

-- torch.find(x, value[, 2]): the indices of a value, with the rows concatenated; with 2, for each row of a matrix.
function torch.find(x, value, dim)
   if dim ~= nil and (dim ~= 2 or x:dim() ~= 2) then fail 'torch.find: along a dimension only rows of a matrix' end
   local width, column, result = dim and x:size(2) or math.huge, 0, {}
   local row = result
   if dim then
      row = {}
      result[1] = row
   end
   x:apply(function(element)
      if column == width then
         column, row = 0, {}
         result[#result + 1] = row
      end
      column = column + 1
      if element == value then row[#row + 1] = column end
   end)
   return result
end

local function refuse(what) fail('nested tables of tensors expected, not a %s', torch.type(what)) end

-- recursiveIndex(to, from, dim, indices): each tensor's index(dim, indices), into those of `to` where it has some.
function torchx.recursiveIndex(to, from, dim, indices)
   if torch.isTensor(from) then
      local result = torch.isTensor(to) and to or from.new()
      result:index(from, dim, indices)
      return result
   end
   if torch.type(from) ~= 'table' then refuse(from) end
   if torch.type(to) ~= 'table' then to = {to} end
   for key, item in pairs(from) do to[key] = torchx.recursiveIndex(to[key], item, dim, indices) end
   return to
end

-- recursiveBatchSize(nest): the first size of its first tensor.
function torchx.recursiveBatchSize(nest)
   while torch.type(nest) == 'table' do nest = nest[1] end
   if not torch.isTensor(nest) then refuse(nest) end
   return nest:size(1)
end

-- recursiveSize(nest[, without]): tables of sizes, without that dimension.
function torchx.recursiveSize(nest, without)
   if torch.isTensor(nest) then
      local size = nest:size():totable()
      if without then table.remove(size, without) end
      return size
   end
   if torch.type(nest) ~= 'table' then refuse(nest) end
   local sizes = {}
   for key, item in pairs(nest) do sizes[key] = torchx.recursiveSize(item, without) end
   return sizes
end

-- recursiveSub(nest, first, last): views of those rows.
function torchx.recursiveSub(nest, first, last)
   if torch.isTensor(nest) then return nest:sub(first, last) end
   if torch.type(nest) ~= 'table' then refuse(nest) end
   local views = {}
   for key, item in pairs(nest) do views[key] = torchx.recursiveSub(item, first, last) end
   return views
end

-- torchx.Queue(): first in, first out.
local Queue = torch.class('torchx.Queue', torchx)

function Queue:__init() self.first, self.last, self.list = 0, -1, {} end

function Queue:put(value)
   self.first = self.first - 1
   self.list[self.first] = value
end

function Queue:empty() return self.first > self.last end

function Queue:get()
   if self:empty() then fail('Queue is empty') end
   local at = self.last
   local value = self.list[at]
   self.list[at], self.last = nil, at - 1
   return value
end

---------------------------------------------------------------------------------------------------------
-- Indices of files.

local IMAGES = {'jpg', 'png', 'JPG', 'PNG', 'JPEG', 'ppm', 'PPM', 'bmp', 'BMP'}

-- The names of the files under a folder, by their endings in capitals or not, in the order of their names; without
-- those of a name that fits a pattern of the shell's, and those of which the whole path fits another.
function core.files_under(folder, endings, no_file, no_path)
   return find_files(folder, table.concat(endings or IMAGES, '/'), no_file, no_path)
end

-- Names as the rows of a CharTensor, each ended by zeros.
function core.rows_of_names(names) return rows_of(table.concat(names, '\n')) end

function core.name_of_row(row)
   local bytes = {}
   for i = 1, row:size(1) do
      local byte = row[i]
      if byte == 0 then break end
      bytes[i] = string.char(byte % 256)
   end
   return table.concat(bytes)
end

-- paths.indexdir(folders[, endings[, use_cache[, ignored]]]): the files under folders. index:size(), index:filename(i).
-- Nothing is cached.
function paths.indexdir(folders, endings, _, ignored)
   local names = {}
   if type(endings) == 'string' then endings = {endings} end
   for _, folder in ipairs(type(folders) == 'table' and folders or {folders}) do
      for _, name in ipairs(core.files_under(folder, endings, ignored)) do names[#names + 1] = name end
   end
   if #names == 0 then fail('Could not find any files in the given input paths') end
   local index = {tensor = core.rows_of_names(names)}
   function index:filename(i) return core.name_of_row(self.tensor[i]) end
   function index:size() return self.tensor:size(1) end
   return index
end
