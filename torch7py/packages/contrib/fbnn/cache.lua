-- nn.CachingLookupTable(backing, rows): rows of a LookupTable, cached, and written back when they are evicted.
--
-- Its results are those of the backing table. `accUpdateGradParameters` updates the cached rows; the table gets them
-- when a row is evicted, or at `flush`. The cache is 8-way set associative, indexed by the row's number, with random
-- eviction. Other gradients are an error, as in the original.
--
-- Arguments: core {fail}.

local core = ...
local fail = core.fail
local torch, nn, type, pairs, ipairs = torch, nn, type, pairs, ipairs
local math, table, setmetatable = math, table, setmetatable
local GROUP = 8

local Way = {}
Way.__index = Way

local function new_way(backing, stats)
   return setmetatable({size = GROUP, backing = backing, stats = stats, rows = {}, numRows = 0, bufferedGrads = {}}, Way)
end

function Way:count(name) self.stats[name] = (self.stats[name] or 0) + 1 end

function Way:writeBack(row)
   local change = self.bufferedGrads[row]
   if change then self.backing.weight:select(1, row):add(change) end
   self.bufferedGrads[row] = nil
end

function Way:evict(row)
   self:writeBack(row)
   self.rows[row] = nil
   self.numRows = self.numRows - 1
   self:count 'evict'
end

-- Make room for one more.
function Way:trim()
   while self.numRows >= self.size do
      local known = {}
      for row in pairs(self.rows) do known[#known + 1] = row end
      table.sort(known)
      self:evict(known[torch.random(1, #known)])
   end
end

function Way:flush()
   local known = {}
   for row in pairs(self.rows) do known[#known + 1] = row end
   for i = 1, #known do self:evict(known[i]) end
   self:count 'flush'
end

function Way:pull(row)
   if self.rows[row] then
      self:count 'hit'
   else
      self:count 'miss'
      self:trim()
      self.rows[row] = self.backing.weight:select(1, row):clone()
      self.numRows = self.numRows + 1
   end
   return self.rows[row]
end

function Way:updateRow(row, gradient, rate)
   local here = self.rows[row] or self:pull(row)
   here:add(-rate, gradient)
   self.bufferedGrads[row] = self.bufferedGrads[row] or here.new():resizeAs(here):zero()
   self.bufferedGrads[row]:add(-rate, gradient)
end

local Cache, parent = torch.class('nn.CachingLookupTable', 'nn.Module')

function Cache:__init(backing, numRows)
   parent.__init(self)
   if not torch.isTypeOf(backing, 'nn.Module') or not backing.weight or type(numRows) ~= 'number' then
      fail 'nn.CachingLookupTable: a lookup table and a number of rows expected'
   end
   if numRows < 1 or numRows > backing.weight:size(1) then
      fail('nn.CachingLookupTable: %g rows of a table of %d', numRows, backing.weight:size(1))
   end
   self.backing, self.numRows = backing, numRows
   self.numCols = backing.weight:size(2)
   self.numWays = math.ceil(numRows / GROUP)
   self.ways, self.stats = {}, {}
   for i = 1, self.numWays do self.ways[i] = new_way(backing, self.stats) end
end

function Cache:_way(row) return self.ways[1 + row % self.numWays] end
function Cache:readRow(row) return self:_way(row):pull(row) end
function Cache:writeRow(row, value) self:_way(row):pull(row):copy(value) end
function Cache:updateRow(row, gradient, rate) self:_way(row):updateRow(row, gradient, rate or 1) end

-- Straight to the table behind.
function Cache:updateRows(rows, value)
   for i = 1, rows:size(1) do self.backing.weight:select(1, rows[i]):add(value[i]) end
end

function Cache:flush()
   for i = 1, self.numWays do self.ways[i]:flush() end
end

function Cache:dumpStats()
   for name, count in pairs(self.stats) do print('STAT', name, count) end
end

function Cache:accUpdateOnly() self.backing:accUpdateOnly() end

function Cache:reset(stdv)
   self:flush()
   self.backing:reset(stdv)
end

function Cache:type(name, cache)
   if not name then return parent.type(self) end
   self:flush()
   self.backing:type(name)
   return parent.type(self, name, cache)
end

function Cache:updateOutput(input)
   local flat = input:contiguous():view(-1)
   local output = self.output:resize(flat:size(1), self.numCols)
   for i = 1, flat:size(1) do output[i]:copy(self:readRow(flat[i])) end
   if input:dim() == 2 then self.output = output:view(input:size(1), input:size(2), self.numCols) end
   return self.output
end

function Cache:accUpdateGradParameters(input, gradOutput, rate)
   local flat = input:contiguous():view(-1)
   local gradients = gradOutput:contiguous():view(flat:size(1), self.numCols)
   local touched = {}
   for i = 1, flat:size(1) do
      local way = self:_way(flat[i])
      way:updateRow(flat[i], gradients[i], rate or 1)
      touched[#touched + 1] = way
   end
   for i = 1, #touched do touched[i]:trim() end
end

for _, name in ipairs {'zeroGradParameters', 'accGradParameters', 'updateParameters'} do
   Cache[name] = function() fail('nn.CachingLookupTable has no %s: it learns by accUpdateGradParameters', name) end
end
