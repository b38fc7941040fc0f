-- A running mean over the rows of a matrix, with gradients by hand, which may go on where it ended or from a given row.
require 'nn'
torch.manualSeed(3)

-- m[i] = k * m[i - 1] + (1 - k) * x[i], for a number k of each column that learns
local Running, parent = torch.class('nn.Running', 'nn.Module')

function Running:__init(columns)
   parent.__init(self)
   self.columns, self.goes_on = columns, false
   self.weight, self.gradWeight = torch.Tensor(columns), torch.zeros(columns)
   self.before, self.ofBefore = torch.Tensor(), torch.Tensor()
   self.ofRows = torch.Tensor()
   self:reset()
end

function Running:reset()
   self.weight:uniform(0.2, 0.8)
   self.weight[{{1, 1}}]:fill(0.5)
end

-- the row before the first, a matrix of one row, if it is given, and the others
function Running:divide(given)
   local before, rows
   if type(given) == 'table' and #given == 2 then
      before, rows = unpack(given)
      assert(before:nElement() == self.columns)
   elseif torch.isTensor(given) then
      rows = given
   end
   return before, rows
end

function Running:updateOutput(input)
   local before, rows = self:divide(input)
   self.was_given = before ~= nil
   if not self.was_given then
      before = self.before:resize(1, self.columns)
      if self.goes_on and self.output:dim() == 2 then
         before[1]:copy(self.output[self.output:size(1)])
      else
         before:zero()
      end
   end
   local means = self.output
   means:resizeAs(rows):zero()
   local last = before[1]
   for i = 1, rows:size(1) do
      means[i]:copy(rows[i]):add(-1, torch.cmul(self.weight, rows[i])):add(torch.cmul(self.weight, last))
      last = means[i]
   end
   return means
end

function Running:backward(input, gradOutput, scale)
   local before, rows = self:divide(input)
   if not before then before = self.before end
   local firstHalf = self.gradWeight[{{1, 1}}]
   local secondHalf = self.gradWeight[{{2, self.columns}}]
   self.ofRows:resizeAs(rows)
   local carried = self.ofBefore:resizeAs(before):zero()[1]
   for i = rows:size(1), 1, -1 do
      carried:add(gradOutput[i])
      local last
      if i > 1 then last = self.output[i - 1] else last = before[1] end
      local change = torch.cmul(last - rows[i], carried)
      firstHalf:add(scale or 1, change:narrow(1, 1, 1))
      secondHalf:add(scale or 1, change:narrow(1, 2, self.columns - 1))
      self.ofRows[i]:copy(carried):add(-1, torch.cmul(carried, self.weight))
      carried:cmul(self.weight)
   end
   if self.was_given then
      self.gradInput = {self.ofBefore, self.ofRows}
   else
      self.gradInput = self.ofRows
   end
   return self.gradInput
end

function Running:updateGradInput(input, gradOutput) return self:backward(input, gradOutput) end
function Running:accGradParameters(input, gradOutput, scale) self:backward(input, gradOutput, scale) end

local running = nn.Running(3)
local weights, gradients = running:getParameters()
local x, start, g = torch.rand(4, 3), torch.rand(1, 3), torch.rand(4, 3)
for step = 1, 2 do
   gradients:zero()
   print(running:forward(x):sum())
   print(running:backward(x, g):sum(), gradients:sum())
   weights:add(-0.1, gradients)
end
gradients:zero()
local means = running:forward{start, x}
local both = running:backward({start, x}, means)
print(means:sum(), both[1]:sum(), both[2]:sum(), gradients:norm())
running.goes_on = true
for turn = 1, 2 do print(running:forward(x):sum()) end
