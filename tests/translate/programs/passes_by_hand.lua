-- A module that runs copies of a graph over the rows of a matrix and goes back through them by itself.
require 'nngraph'
torch.manualSeed(11)

local Rows, parent = torch.class('nn.Rows', 'nn.Module')

function Rows:__init(size, hidden)
   parent.__init(self)
   self.size, self.hidden = size, hidden
   self.train = false
   self.zeros = torch.zeros(hidden)
   self.cell = self:newCell()
   self.copies = {}
   self.used = 0
end

function Rows:newCell()
   local x, c, h = nn.Identity()(), nn.Identity()(), nn.Identity()()
   local sum = function()
      return nn.CAddTable()({nn.Linear(self.size, self.hidden)(x), nn.Linear(self.hidden, self.hidden)(h)})
   end
   local gate = nn.Sigmoid()(sum())
   local new = nn.Dropout(0.2)(nn.Tanh()(sum()))
   local state = nn.CAddTable()({nn.CMulTable()({gate, c}), new})
   local cell = nn.gModule({x, c, h}, {state, nn.Tanh()(state)})
   return cell
end

function Rows:training()
   self.train = true
end

function Rows:evaluate()
   self.train = false
end

function Rows:before(t)
   if t == 1 then return self.zeros, self.zeros end
   local output = self.copies[t - 1].output
   return output[1], output[2]
end

-- The last step's output; backwards: from the last row to the first.
function Rows:forward(rows, backwards)
   self.used = rows:size(1)
   for t = 1, self.used do
      if self.copies[t] == nil then
         self.copies[t] = self.cell:clone('weight', 'bias', 'gradWeight', 'gradBias')
      end
      local copy = self.copies[t]
      if self.train then copy:training() else copy:evaluate() end
      local c, h = self:before(t)
      copy:forward({rows[backwards and self.used - t + 1 or t], c, h})
   end
   self.output = self.copies[self.used].output[2]
   return self.output
end

function Rows:backward(rows, gradient, backwards)
   local given = torch.zeros(rows:size())
   local ofState = self.zeros
   for t = self.used, 1, -1 do
      local c, h = self:before(t)
      local row = backwards and self.used - t + 1 or t
      local gradients = self.copies[t]:backward({rows[row], c, h}, {ofState, gradient})
      given[row] = gradients[1]
      ofState, gradient = gradients[2], gradients[3]
   end
   return given
end

function Rows:parameters()
   return self.cell:parameters()
end

function Rows:zeroGradParameters()
   self.cell:zeroGradParameters()
end

local model = nn.Rows(2, 3)
local criterion = nn.MSECriterion()
local weights, gradients = model:getParameters()
local targets = torch.randn(2, 3)
for step = 1, 3 do
   model:training()
   for k, rows in ipairs({torch.randn(4, 2), torch.randn(2, 2)}) do
      model:zeroGradParameters()
      local loss = criterion:forward(model:forward(rows, k == 2), targets[k])
      local gradient = criterion:backward(model.output, targets[k])
      local given = model:backward(rows, gradient:mul(2), k == 2)
      print(step, k, string.format('%.10f %.10f', loss, given:norm()))
      weights:add(-0.3, gradients)
   end
   model:evaluate()
   print(string.format('%.10f', model:forward(torch.ones(3, 2)):sum()))
end
print(string.format('%.10f', weights:norm()))
