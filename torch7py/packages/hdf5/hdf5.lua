-- hdf5: files, groups, data sets and the options of data sets, as classes.
--
-- Arguments: core {fail}, host, hdf5.

local core, _, hdf5 = ...
local fail = core.fail
local torch = torch

local type, pairs, ipairs, tostring, select, setmetatable, unpack = type, pairs, ipairs, tostring, select, setmetatable, unpack
local remove = table.remove

local function take(name)
   local f = hdf5[name]
   hdf5[name] = nil
   return f
end

local open, close, kind_of, names, make_group = take '_open', take '_close', take '_kind', take '_names', take '_make_group'
local type_of, size_of, partial, write, append = take '_type', take '_size', take '_partial', take '_write', take '_append'

local File = torch.class('hdf5.HDF5File', hdf5)
local Group = torch.class('hdf5.HDF5Group', hdf5)
local DataSet = torch.class('hdf5.HDF5DataSet', hdf5)
local Options = torch.class('hdf5.DataSetOptions', hdf5)

local function inside(path, name) return path == '/' and '/' .. name or path .. '/' .. name end

local function loaded(parent, file, path)
   local class = kind_of(file, path) == 'dataset' and hdf5.HDF5DataSet or hdf5.HDF5Group
   return class(parent, file, path)
end

---------------------------------------------------------------------------------------------------------
-- Data sets

function DataSet:__init(parent, file, path)
   self._parent, self._fileID, self._path = parent, file, path
end

function DataSet:__tostring() return ('[HDF5DataSet %s]'):format(self._path) end

-- All elements, as a tensor.
function DataSet:all() return partial(self._fileID, self._path, {}, {}) end

-- dataset:partial({from, to}, ...): a range, or one index, of each dimension.
function DataSet:partial(...)
   local ranges, starts, ends = {...}, {}, {}
   local dims = #size_of(self._fileID, self._path)
   if #ranges ~= dims then
      fail('HDF5DataSet:partial() - dimension mismatch. Expected %d but %d were given.', dims, #ranges)
   end
   for i, range in ipairs(ranges) do
      if type(range) ~= 'table' then range = {range, range} end
      starts[i], ends[i] = range[1], range[2]
   end
   return partial(self._fileID, self._path, starts, ends)
end

-- Its size, as a table.
function DataSet:dataspaceSize() return size_of(self._fileID, self._path) end

-- The constructor of its tensor type.
function DataSet:getTensorFactory() return torch.factory(type_of(self._fileID, self._path)) end

function DataSet:close() end

---------------------------------------------------------------------------------------------------------
-- Groups. A path is a list of names here.

function Group:__init(parent, file, path)
   self._parent, self._fileID, self._path = parent, file, path
   self._children = {}
   for _, name in ipairs(names(file, path)) do self._children[name] = loaded(self, file, inside(path, name)) end
end

function Group:__tostring() return ('[HDF5Group %s]'):format(self._path) end

function Group:createChild(name)
   if type(name) ~= 'string' then fail('no name given for child') end
   make_group(self._fileID, inside(self._path, name))
   self._children[name] = hdf5.HDF5Group(self, self._fileID, inside(self._path, name))
   return self._children[name]
end

function Group:getOrCreateChild(name) return self._children[name] or self:createChild(name) end

local function is_tensor(data) return torch.isTensor(data) end

local function store(group, method, path, data, options)
   if type(path) ~= 'table' then fail('HDF5Group:%s() expects table as first parameter', method) end
   if data == nil then fail('HDF5Group:%s() requires data as parameter', method) end
   if #path == 0 then fail('HDF5Group: descended too far') end
   local name = tostring(path[1])
   if #path > 1 or type(data) == 'table' then
      local child = group:getOrCreateChild(name)
      if torch.type(child) ~= 'hdf5.HDF5Group' then fail('hdf5: %s is no group', child._path) end
      if #path > 1 then return child[method](child, {unpack(path, 2)}, data, options) end
      for key, value in pairs(data) do child[method](child, {key}, value, options) end
      return
   end
   if not is_tensor(data) then
      local what = type(data) == 'userdata' and 'non-Tensor userdata' or 'data of type ' .. type(data)
      fail('torch-hdf5: writing %s is not supported', what)
   end
   local full_path = inside(group._path, name)
   if method == 'append' then
      append(group._fileID, full_path, data)
   else
      local chunks, level
      if options then
         options:adjustForData(data)
         chunks, level = options._chunking, options._deflate
      end
      write(group._fileID, full_path, data, chunks, level)
   end
   group._children[name] = hdf5.HDF5DataSet(group, group._fileID, full_path)
end

function Group:write(path, data, options) store(self, 'write', path, data, options) end
function Group:append(path, data, options) store(self, 'append', path, data, options) end

function Group:read(path)
   if type(path) ~= 'table' then fail('HDF5Group:read() expects table as first parameter') end
   if #path == 0 then return self end
   local child = self._children[path[1]]
   if not child then fail("HDF5Group:read() - no such child '%s' for %s", tostring(path[1]), tostring(self)) end
   if #path == 1 then return child end
   return child:read({unpack(path, 2)})
end

-- A table of everything inside.
function Group:all()
   local all = {}
   for name, child in pairs(self._children) do all[name] = child:all() end
   return all
end

function Group:close() end

---------------------------------------------------------------------------------------------------------
-- Files

local function split(path)
   if type(path) ~= 'string' then fail('hdf5: a path in a file expected, got %s', torch.type(path)) end
   local list = {}
   for name in path:gmatch('[^/]+') do list[#list + 1] = name end
   return list
end

function File:__init(filename, file)
   if type(filename) ~= 'string' or type(file) ~= 'number' then
      fail('hdf5.HDF5File: use hdf5.open(filename, mode)')
   end
   self._filename, self._fileID = filename, file
   self._rootGroup = hdf5.HDF5Group(self, file, '/')
end

function File:__tostring() return ('[HDF5File: %d %s]'):format(self._fileID, self._filename) end
function File:filename() return self._filename end

-- file:write(path, tensor or table[, options])
for _, method in ipairs {'write', 'append'} do
   File[method] = function(self, path, data, options)
      path = split(path)
      if type(data) ~= 'table' and type(data) ~= 'userdata' then
         fail('HDF5File:%s() requires a tensor or table as its second parameter', method)
      end
      local root = self._rootGroup
      if #path > 0 then return root[method](root, path, data, options) end
      if type(data) ~= 'table' then
         fail('HDF5File:write() - must provide a table when writing to the root location')
      end
      for name, value in pairs(data) do root[method](root, {name}, value, options) end
   end
end

-- file:read([path]): a group or a data set.
function File:read(path) return self._rootGroup:read(split(path or '/')) end

function File:all() return self:read('/'):all() end

function File:close() close(self._fileID) end

local MODES = {r = true, ['r+'] = true, w = true, ['w-'] = true}

-- hdf5.open(filename[, mode]): 'r', 'r+', 'w', 'w-', or 'a', which is 'r+' where there is a file and else 'w'.
function File.open(filename, mode)
   if type(filename) ~= 'string' then fail('hdf5.open: a file name expected, got %s', torch.type(filename)) end
   local paths = require 'paths'
   filename = paths.concat(filename)
   if not paths.dirp(paths.dirname(filename)) then
      fail('HDF5File.open: no such directory %s', paths.dirname(filename))
   end
   if mode == nil or mode == 'a' then mode = paths.filep(filename) and 'r+' or 'w' end
   if not MODES[mode] then fail("Unknown mode '%s' for hdf5.open()", tostring(mode)) end
   return hdf5.HDF5File(filename, open(filename, mode))
end

function hdf5.open(...) return File.open(...) end

-- Here `write` and `read` access the contents of a file; serialization for another thread has other names.
for _, class in ipairs {File, Group} do
   function class.__write(object, file)
      local fields = {}
      for key, value in pairs(object) do fields[key] = value end
      file:writeObject(fields)
   end

   function class.__read(object, file)
      for key, value in pairs(file:readObject()) do object[key] = value end
   end
end

---------------------------------------------------------------------------------------------------------
-- Options of a data set

function Options:__init() end

-- options:setChunked(size, ...): stored in pieces of this size; the first dimension may grow.
function Options:setChunked(...)
   self._chunking = {...}
   return self
end

-- options:setDeflate([level]): compressed by zlib; needs chunks.
function Options:setDeflate(level)
   self._deflate = level or 6
   return self
end

-- Chunks no larger than the data.
function Options:adjustForData(tensor)
   local chunks = self._chunking
   if not chunks then return end
   if #chunks ~= tensor:dim() then
      fail('Chunk size must have same number of dimensions as data! Chunk size has %d dimensions; data has %d',
           #chunks, tensor:dim())
   end
   for i = 1, #chunks do
      if chunks[i] > tensor:size(i) then chunks[i] = tensor:size(i) end
   end
end

function Options:close() end
function Options:__tostring()
   return ('[DataSetOptions: chunking=%s]'):format(self._chunking and table.concat(self._chunking, 'x') or 'none')
end
