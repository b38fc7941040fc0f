-- dl.SequenceLoader and dl.MultiSequence: one long sequence, or many short ones, side by side in columns.
--
-- Arguments: core {fail}, dl.

local core, dl = ...
local fail = core.fail
local ipairs, min = ipairs, math.min
local torch, torchx = torch, torchx

local function check(holds, class, what)
   if not holds then fail('%s: %s', class, what) end
end

-- Methods of both classes: the sizes of a step's rows, and no random examples.
local function sequences(class)
   class.subiter = dl.DataLoader.subiter
   function class:sample() fail('%s:sample is not implemented', torch.type(self)) end
   function class:sampleiter() fail('%s:sampleiter is not implemented, use subiter', torch.type(self)) end
   function class:isize(without)
      if without == nil then without = 1 end
      local size = torchx.recursiveSize(self.data or self.sequences[1], without)
      if without ~= 1 then size[1] = self:size() end
      return size
   end
   function class:tsize(without) return self:isize(without) end
end

---------------------------------------------------------------------------------------------------------
-- dl.SequenceLoader(sequence, batchsize[, bidirectional]): the sequence in `batchsize` pieces of the same length; the
-- remainder at its end is dropped. Targets are the inputs one step later, or the inputs where it is bidirectional.

local SequenceLoader = torch.class('dl.SequenceLoader', 'dl.DataLoader', dl)
sequences(SequenceLoader)

function SequenceLoader:__init(sequence, batchsize, bidirectional)
   check(torch.isTensor(sequence), 'dl.SequenceLoader', 'a tensor expected as sequence')
   check(torch.type(batchsize) == 'number', 'dl.SequenceLoader', 'a number expected as batch size')
   self.batchsize, self.bidirectional = batchsize, bidirectional
   local steps = math.floor(sequence:size(1) / batchsize)
   self.data = sequence:sub(1, steps * batchsize):view(batchsize, steps):t():contiguous()
end

-- loader:sub(first, last[, inputs[, targets]]): views of steps, set to the given tensors.
function SequenceLoader:sub(first, last, inputs, targets)
   inputs = inputs or self.data.new()
   targets = targets or inputs.new()
   check(last <= self:size(), 'dl.SequenceLoader', 'steps beyond the end of the sequence')
   inputs:set(self.data:sub(first, last))
   targets:set(self.bidirectional and inputs or self.data:sub(first + 1, last + 1))
   return inputs, targets
end

function SequenceLoader:size() return self.data:size(1) - (self.bidirectional and 0 or 1) end

---------------------------------------------------------------------------------------------------------
-- dl.MultiSequence(sequences, batchsize): a table or tds.Vec of tensors, one after the other in each column. Before
-- each stands a step of zeros as input (target: 1, for vectors 0), at which a model forgets. With the field `randseq`
-- sequences are drawn at random.

local MultiSequence = torch.class('dl.MultiSequence', 'dl.DataLoader', dl)
sequences(MultiSequence)

function MultiSequence:__init(list, batchsize)
   check(torch.isTensor(list[1]), 'dl.MultiSequence', 'a table of tensors expected')
   check(torch.type(batchsize) == 'number', 'dl.MultiSequence', 'a number expected as batch size')
   self.sequences, self.batchsize = list, batchsize
   local steps = 0
   for _, sequence in ipairs(list) do steps = steps + sequence:size(1) end
   self.seqlen = math.ceil(steps / batchsize)
   self:reset()
end

function MultiSequence:reset()
   dl.DataLoader.reset(self)
   self.trackers = {nextseq = 1}
end

function MultiSequence:size() return self.seqlen end

local function next_sequence(self)
   if self.randseq then return math.random(1, #self.sequences) end
   local number = self.trackers.nextseq
   self.trackers.nextseq = number < #self.sequences and number + 1 or 1
   return number
end

-- One column, which continues its sequence; `cursor` is {seqid, idx}.
local function fill(self, cursor, input, target)
   local at, steps = 1, input:size(1)
   while at <= steps do
      if not cursor.seqid then
         cursor.seqid, cursor.idx = next_sequence(self), 1
         input:narrow(1, at, 1):zero()
         target:narrow(1, at, 1):fill(target:dim() == 1 and 1 or 0)
         at = at + 1
      end
      if at <= steps then
         local sequence = self.sequences[cursor.seqid]
         local final = sequence:size(1) - 1
         local count = min(steps - at + 1, final - cursor.idx + 1)
         input:narrow(1, at, count):copy(sequence:narrow(1, cursor.idx, count))
         target:narrow(1, at, count):copy(sequence:narrow(1, cursor.idx + 1, count))
         at, cursor.idx = at + count, cursor.idx + count
         if cursor.idx > final then cursor.seqid = nil end
      end
   end
end

-- loader:sub(first, last[, inputs[, targets]]): the next last - first + 1 steps of all columns.
function MultiSequence:sub(first, last, inputs, targets)
   local steps = last - first + 1
   inputs = inputs or self.sequences[1].new()
   targets = targets or inputs.new()
   inputs:resize(steps, self.batchsize, unpack(self:isize())):zero()
   targets:resize(steps, self.batchsize, unpack(self:tsize())):zero()
   for i = 1, self.batchsize do
      self.trackers[i] = self.trackers[i] or {}
      fill(self, self.trackers[i], inputs:select(2, i), targets:select(2, i))
   end
   return inputs, targets
end
