-- A neural Turing machine learns to copy a sequence of bits, one sequence a time: a controller, a reading and a writing
-- head over a memory, addressed by content, by shifts and by what was addressed before.
--
-- The global sizes is {rows, columns (of the memory), hidden, bits, length (of the sequence)}. Returns a function that
-- trains for some sequences and returns the last loss. Globals for a port to start from: step (the graph, untrained,
-- its linear layers by name), start (the parameters of the state before the first step), sequences.
require 'nngraph'
require 'optim'

local rows, columns, hidden, bits, length = unpack(sizes)
local shifts = 3

torch.manualSeed(1)

-- {memory, key} -> the cosine of the key with each row
local similarity = torch.class('RowSimilarity', 'nn.Module')

function similarity:__init()
   nn.Module.__init(self)
   self.gradInput = {torch.Tensor(), torch.Tensor()}
end

function similarity:updateOutput(input)
   local memory, key = unpack(input)
   self.lengths = torch.norm(memory, 2, 2):view(-1)
   self.keyLength = key:norm()
   self.scale = (self.lengths * self.keyLength):add(1e-6)
   self.dots = memory * key
   self.output = torch.cdiv(self.dots, self.scale)
   return self.output
end

function similarity:updateGradInput(input, gradOutput)
   local memory, key = unpack(input)
   local of_dots = torch.cdiv(gradOutput, self.scale)
   local of_scale = torch.cmul(gradOutput, self.output):cdiv(self.scale):mul(-1)
   local of_lengths = torch.cdiv(of_scale, self.lengths):mul(self.keyLength)
   self.gradInput[1]:resizeAs(memory):ger(of_dots, key)
   self.gradInput[1]:add(torch.cmul(memory, of_lengths:view(-1, 1):expandAs(memory)))
   self.gradInput[2]:resizeAs(key):mv(memory:t(), of_dots)
   self.gradInput[2]:add(torch.dot(of_scale, self.lengths) / self.keyLength, key)
   return self.gradInput
end

-- {weights, how much by which shift} -> the weights, shifted round
local rotation = torch.class('Rotation', 'nn.Module')

function rotation:__init()
   nn.Module.__init(self)
   self.gradInput = {torch.Tensor(), torch.Tensor()}
end

local function rotated(vector, by)
   if by == 0 then return vector end
   local n = vector:size(1)
   by = by % n
   return torch.cat(vector:narrow(1, n - by + 1, by), vector:narrow(1, 1, n - by))
end

function rotation:updateOutput(input)
   local weights, shift = unpack(input)
   self.output:resizeAs(weights):zero()
   for j = 1, shift:size(1) do self.output:add(shift[j], rotated(weights, j - 2)) end
   return self.output
end

function rotation:updateGradInput(input, gradOutput)
   local weights, shift = unpack(input)
   self.gradInput[1]:resizeAs(weights):zero()
   self.gradInput[2]:resizeAs(shift)
   for j = 1, shift:size(1) do
      self.gradInput[1]:add(shift[j], rotated(gradOutput, 2 - j))
      self.gradInput[2][j] = torch.dot(gradOutput, rotated(weights, j - 2))
   end
   return self.gradInput
end

-- {a vector, one number} -> the vector times the number
local scale = torch.class('ScaleBy', 'nn.Module')

function scale:__init()
   nn.Module.__init(self)
   self.gradInput = {torch.Tensor(), torch.Tensor()}
end

function scale:updateOutput(input)
   local vector, factor = unpack(input)
   self.output:resizeAs(vector):copy(vector):mul(factor[1])
   return self.output
end

function scale:updateGradInput(input, gradOutput)
   local vector, factor = unpack(input)
   self.gradInput[1]:resizeAs(vector):copy(gradOutput):mul(factor[1])
   self.gradInput[2]:resizeAs(factor)
   self.gradInput[2][1] = torch.dot(gradOutput, vector)
   return self.gradInput
end

-- {a vector of positive numbers, one number} -> the vector to the power of the number, with the sum 1
local sharpening = torch.class('Sharpen', 'nn.Module')

function sharpening:__init()
   nn.Module.__init(self)
   self.gradInput = {torch.Tensor(), torch.Tensor()}
end

function sharpening:updateOutput(input)
   local vector, power = unpack(input)
   self.powers = torch.pow(vector, power[1])
   self.sum = self.powers:sum()
   self.output:resizeAs(vector):copy(self.powers):div(self.sum)
   return self.output
end

function sharpening:updateGradInput(input, gradOutput)
   local vector, power = unpack(input)
   local of_powers = gradOutput:clone():add(-torch.dot(gradOutput, self.output)):div(self.sum)
   self.gradInput[1]:resizeAs(vector):copy(of_powers):cmul(self.powers):cdiv(vector):mul(power[1])
   self.gradInput[2]:resizeAs(power)
   self.gradInput[2][1] = torch.dot(of_powers:cmul(self.powers), torch.log(vector))
   return self.gradInput
end

-- {a, b} -> their outer product
local outer = torch.class('OuterProduct', 'nn.Module')

function outer:__init()
   nn.Module.__init(self)
   self.gradInput = {torch.Tensor(), torch.Tensor()}
end

function outer:updateOutput(input)
   self.output = torch.ger(input[1], input[2])
   return self.output
end

function outer:updateGradInput(input, gradOutput)
   self.gradInput[1]:resizeAs(input[1]):mv(gradOutput, input[2])
   self.gradInput[2]:resizeAs(input[2]):mv(gradOutput:t(), input[1])
   return self.gradInput
end

local function named(name, inputs, outputs, node)
   return nn.Linear(inputs, outputs)(node):annotate {name = name}
end

-- Where a head looks, from the controller's vector, the memory and where it looked before.
local function address(head, h, memory, before)
   local key = nn.Tanh()(named(head .. '_key', hidden, columns, h))
   local strength = nn.SoftPlus()(named(head .. '_strength', hidden, 1, h))
   local gate = nn.Sigmoid()(named(head .. '_gate', hidden, 1, h))
   local shift = nn.SoftMax()(named(head .. '_shift', hidden, shifts, h))
   local power = nn.AddConstant(1)(nn.SoftPlus()(named(head .. '_power', hidden, 1, h)))
   local by_content = nn.SoftMax()(ScaleBy()({RowSimilarity()({memory, key}), strength}))
   local rest = nn.AddConstant(1)(nn.MulConstant(-1)(gate))
   local mixed = nn.CAddTable()({ScaleBy()({by_content, gate}), ScaleBy()({before, rest})})
   return Sharpen()({Rotation()({mixed, shift}), power})
end

-- {input, {memory, reading weights, writing weights, what was read, c, h}} -> {output, the same table, one step later}
local function one_step()
   local input, state = nn.Identity()(), nn.Identity()()
   local memory, reading, writing, read, previous_c, previous_h = state:split(6)
   local of_all = named('ih', bits + 2 + columns, 4 * hidden, nn.JoinTable(1)({input, read}))
   local sums = nn.CAddTable()({of_all, named('hh', hidden, 4 * hidden, previous_h)})
   local i, f, o, g = nn.SplitTable(1)(nn.Reshape(4, hidden)(sums)):split(4)
   local kept = nn.CMulTable()({nn.Sigmoid()(f), previous_c})
   local new = nn.CMulTable()({nn.Sigmoid()(i), nn.Tanh()(g)})
   local c = nn.CAddTable()({kept, new})
   local h = nn.CMulTable()({nn.Sigmoid()(o), nn.Tanh()(c)})

   local where_read = address('read', h, memory, reading)
   local where_written = address('write', h, memory, writing)
   local now_read = nn.MixtureTable()({where_read, memory})
   local erased = nn.Sigmoid()(named('erase', hidden, columns, h))
   local added = nn.Tanh()(named('add', hidden, columns, h))
   local left = nn.AddConstant(1)(nn.MulConstant(-1)(OuterProduct()({where_written, erased})))
   local remembered = nn.CAddTable()({nn.CMulTable()({memory, left}), OuterProduct()({where_written, added})})
   local output = nn.Sigmoid()(named('output', hidden + columns, bits, nn.JoinTable(1)({h, now_read})))
   return nn.gModule({input, state}, {output, nn.Identity()({remembered, where_read, where_written, now_read, c, h})})
end

step = one_step()
-- The state before the first step is learnt as well, as the biases of layers that are given a zero.
start = nn.ConcatTable()
start:add(nn.Sequential():add(nn.Linear(1, rows * columns)):add(nn.Tanh()):add(nn.View(rows, columns)))
start:add(nn.Sequential():add(nn.Linear(1, rows)):add(nn.SoftMax()))
start:add(nn.Sequential():add(nn.Linear(1, rows)):add(nn.SoftMax()))
start:add(nn.Sequential():add(nn.Linear(1, columns)):add(nn.Tanh()))
start:add(nn.Sequential():add(nn.Linear(1, hidden)))
start:add(nn.Sequential():add(nn.Linear(1, hidden)):add(nn.Tanh()))

local weights, gradients = nn.Container():add(start):add(step):getParameters()
local copies, criterions = {}, {}
for t = 1, 2 * length + 2 do
   copies[t] = step:clone('weight', 'bias', 'gradWeight', 'gradBias')
   criterions[t] = nn.BCECriterion()
end

sequences = torch.rand(20, length, bits):gt(0.5):double()
local made = 0
local nothing = torch.zeros(1)
local first_mark, last_mark, blank = torch.zeros(bits + 2), torch.zeros(bits + 2), torch.zeros(bits + 2)
first_mark[bits + 1], last_mark[bits + 2] = 1, 1

local function feval()
   gradients:zero()
   local sequence = sequences[made % sequences:size(1) + 1]
   made = made + 1
   local inputs, outputs, loss = {}, {}, 0
   local state = start:forward(nothing)
   local function advance(t, input)
      inputs[t] = {input, state}
      outputs[t], state = unpack(copies[t]:forward(inputs[t]))
   end
   advance(1, first_mark)
   for t = 1, length do
      local input = torch.zeros(bits + 2)
      input:narrow(1, 1, bits):copy(sequence[t])
      advance(t + 1, input)
   end
   advance(length + 2, last_mark)
   for t = 1, length do
      advance(t + length + 2, blank)
      loss = loss + criterions[t]:forward(outputs[t + length + 2], sequence[t])
   end
   local of_state = {}
   for i = 1, #state do of_state[i] = state[i]:clone():zero() end
   for t = 2 * length + 2, 1, -1 do
      local of_output = blank:narrow(1, 1, bits)
      local said = t - length - 2
      if said > 0 then of_output = criterions[said]:backward(outputs[t], sequence[said]) end
      of_state = copies[t]:backward(inputs[t], {of_output, of_state})[2]
   end
   start:backward(nothing, of_state)
   gradients:clamp(-10, 10)
   return loss / length, gradients
end

local config = {learningRate = 1e-3, alpha = 0.95}

return function(steps)
   local losses
   for _ = 1, steps do _, losses = optim.rmsprop(feval, weights, config) end
   return losses[1]
end
