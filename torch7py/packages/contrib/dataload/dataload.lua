-- dataload: loaders of data sets, which give batches of inputs and targets.
--
-- Arguments: core {fail}, host, the package's table, chunk. Its classes are dl.DataLoader and so on, without a global dl.

local core, _, dl, chunk = ...
local fail = core.fail

local ipairs, select, unpack = ipairs, select, unpack
local min = math.min
local torch, paths = torch, paths

local home = os.getenv('TORCH_DATA_PATH') or os.getenv('HOME') or '.'
dl.TORCH_PATH = home
dl.DATA_PATH = os.getenv('DEEP_DATA_PATH') or paths.concat(home, 'data')
dl.SAVE_PATH = os.getenv('DEEP_SAVE_PATH') or paths.concat(home, 'save')
for _, folder in ipairs{dl.SAVE_PATH, dl.DATA_PATH} do paths.mkdir(folder) end

---------------------------------------------------------------------------------------------------------
-- dl.DataLoader: the common methods of all loaders. Each defines index, size, isize and tsize.

local DataLoader = torch.class('dl.DataLoader', dl)

for _, name in ipairs{'index', 'shuffle', 'split', 'size', 'isize', 'tsize'} do
   DataLoader[name] = function(self) fail('%s:%s is not implemented', torch.type(self), name) end
end

local function indices(self)
   self._indices = self._indices or torch.LongTensor()
   return self._indices
end

-- loader:sample(count[, inputs[, targets]]): examples drawn with replacement.
function DataLoader:sample(count, ...)
   return self:index(indices(self):resize(count):random(1, self:size()), ...)
end

-- loader:sub(first, last[, inputs[, targets]])
function DataLoader:sub(first, last, ...)
   return self:index(indices(self):range(first, last), ...)
end

-- loader:reset(): iterators begin at the first example again.
function DataLoader:reset() self._indices, self._start = nil, nil end

-- Collects garbage in one of self.gcdelay (200) calls.
function DataLoader:collectgarbage()
   self.gcdelay = self.gcdelay or 200
   self.gccount = (self.gccount or 0) + 1
   if self.gccount < self.gcdelay then return end
   collectgarbage()
   self.gccount = 0
end

function DataLoader:clone(...)
   local copy = torch.deserialize(torch.serialize(self))
   if select('#', ...) > 0 then copy:share(self, ...) end
   return copy
end

-- How many examples an epoch has; all where nothing, or nothing positive, is asked for.
local function epoch_size(self, asked)
   return asked and asked > 0 and asked or self:size()
end

-- Batches until an epoch is full: f(count, inputs, targets) returns the number of examples and the batch. The
-- first two of a batch are the buffers of the next one.
local function batches(self, size, epoch, f)
   local done, inputs, targets = 0, nil, nil
   local function record(count, ...)
      inputs, targets = ...
      done = done + count
      self:collectgarbage()
      return done, ...
   end
   return function()
      if done < epoch then return record(f(min(size, epoch - done), inputs, targets)) end
   end
end

-- for k, inputs, targets in loader:subiter([batch size[, epoch's size, ...]]): in order, from where the last one
-- stopped, and from the first example again after the last. k is the number of examples so far.
function DataLoader:subiter(batchsize, epochsize, ...)
   local size, more, count = self:size(), {...}, select('#', ...)
   self._start = self._start or 1
   return batches(self, batchsize or 32, epoch_size(self, epochsize), function(batch_size, inputs, targets)
      local first = self._start
      local last = min(first + batch_size - 1, size)
      local function advance(...)
         self._start = last < size and last + 1 or 1
         return last - first + 1, ...
      end
      return advance(self:sub(first, last, inputs, targets, unpack(more, 1, count)))
   end)
end

-- The same with examples drawn at random.
function DataLoader:sampleiter(batchsize, epochsize, ...)
   local more, count = {...}, select('#', ...)
   return batches(self, batchsize or 32, epoch_size(self, epochsize), function(batch_size, inputs, targets)
      return batch_size, self:sample(batch_size, inputs, targets, unpack(more, 1, count))
   end)
end

for _, part in ipairs{'tensors', 'sequences', 'async', 'tools', 'sets', 'images'} do
   chunk(part .. '.lua')(core, dl)
end
