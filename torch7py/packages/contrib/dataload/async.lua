-- dl.AsyncIterator(loader[, nthread[, verbose[, serialmode[, init]]]]): batches of a loader, computed by one copy of it
-- in the program's thread when they are fetched, with its random numbers.
--
-- Arguments: core {fail}, dl. `init` is called once for each of nthread, with its number.

local core, dl = ...
local fail = core.fail
local ipairs, min, select, unpack = ipairs, math.min, select, unpack
local torch, torchx = torch, torchx

local AsyncIterator = torch.class('dl.AsyncIterator', 'dl.DataLoader', dl)

function AsyncIterator:__init(loader, nthread, verbose, serialmode, init)
   if not torch.isTypeOf(loader, 'dl.DataLoader') then
      fail('dl.AsyncIterator: a loader expected, not a %s', torch.type(loader))
   end
   self.dataset, self.nthread, self.verbose, self.serialmode = loader, nthread or 2, verbose, serialmode or 'ascii'
   if self.serialmode ~= 'ascii' and self.serialmode ~= 'binary' then
      fail("dl.AsyncIterator: the serial mode is 'ascii' or 'binary', not %s", tostring(serialmode))
   end
   loader:reset()
   for i = 1, init and self.nthread or 0 do init(i) end
   self._worker = torch.deserialize(torch.serialize(loader, self.serialmode), self.serialmode)
   self.recvqueue, self.ninprogress = torchx.Queue(), 0
end

function AsyncIterator:size(...) return self.dataset:size(...) end

function AsyncIterator:forceCollectGarbage() collectgarbage() end

function AsyncIterator:collectgarbage()
   self.gcdelay = self.gcdelay or 50
   dl.DataLoader.collectgarbage(self)
end

-- Drop the batches that were requested and not fetched.
function AsyncIterator:synchronize()
   while not self.recvqueue:empty() do self:asyncGet() end
   self.querymode = nil
   self:forceCollectGarbage()
end

function AsyncIterator:reset()
   self:synchronize()
   dl.DataLoader.reset(self)
end

-- Request the result of a method of the loader: a batch of `size` examples.
function AsyncIterator:asyncPut(method, arguments, size)
   self.ninprogress = self.ninprogress + 1
   self.recvqueue:put{method = method, arguments = arguments, size = size}
end

-- The next batch, a table with its size as the field `size`.
function AsyncIterator:asyncGet()
   local asked = self.recvqueue:get()
   self.ninprogress = self.ninprogress - 1
   local worker, arguments = self._worker, asked.arguments
   local batch = {worker[asked.method](worker, unpack(arguments, 1, arguments.n))}
   batch.size = asked.size
   return batch
end

-- Batches of an epoch, of which nthread are requested ahead. f(batch_size) returns the number of examples of the next
-- batch, and the arguments of the method before the two buffers.
local function batches(self, method, size, epoch, f, ...)
   self:synchronize()
   self.querymode = method .. 'iter'
   epoch = epoch or self:size()
   local more, count = {...}, select('#', ...)
   local asked, done, inputs, targets = 0, 0, nil, nil

   local function ask()
      if asked >= epoch then return end
      local examples, first = f(min(size, epoch - asked))
      local arguments, n = {unpack(first)}, #first
      arguments[n + 1], arguments[n + 2] = inputs, targets
      for i = 1, count do arguments[n + 2 + i] = more[i] end
      arguments.n = n + 2 + count
      self:asyncPut(method, arguments, examples)
      asked = asked + examples
   end

   for _ = 1, self.nthread do ask() end
   return function()
      if self.querymode ~= method .. 'iter' then fail('dl.AsyncIterator: one iterator at a time') end
      if done >= epoch then return end
      ask()
      local batch = self:asyncGet()
      inputs, targets = batch[1], batch[2]
      done = done + batch.size
      self:collectgarbage()
      return done, unpack(batch)
   end
end

-- As the loader's. A last example that would be a batch by itself is left out, as in the original.
function AsyncIterator:subiter(batchsize, epochsize, ...)
   local size = self:size()
   return batches(self, 'sub', batchsize or 32, epochsize, function(batch_size)
      local first = self._start or 1
      local last = min(first + batch_size - 1, size)
      self._start = last + 1 < size and last + 1 or 1
      return last - first + 1, {first, last}
   end, ...)
end

function AsyncIterator:sampleiter(batchsize, epochsize, ...)
   return batches(self, 'sample', batchsize or 32, epochsize, function(batch_size) return batch_size, {batch_size} end, ...)
end
