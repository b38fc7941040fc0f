-- Objects made by calling their class, by a metatable's __call.
require 'nn'
torch.manualSeed(3)
local Experiment = {}
Experiment.__index = Experiment
setmetatable(Experiment, {__call = function(cls, ...) return cls.new(...) end})
function Experiment.new(conf)
  local self = setmetatable({}, Experiment)
  self.conf = conf
  self.model = nn.Sequential()
  self.model:add(nn.Linear(conf.nin, conf.nhid))
  self.model:add(nn.Tanh())
  self.model:add(nn.Linear(conf.nhid, 1))
  self.best = math.huge
  self.history = {}
  return self
end
function Experiment:run(data, epochs)
  local crit = nn.MSECriterion()
  for e = 1, epochs do
    local total = 0
    for _, sample in ipairs(data) do
      local out = self.model:forward(sample.x)
      total = total + crit:forward(out, sample.y)
      self.model:zeroGradParameters()
      self.model:backward(sample.x, crit:backward(out, sample.y))
      self.model:updateParameters(self.conf.lr)
    end
    table.insert(self.history, total)
    if total < self.best then self.best = total end
  end
  return self.best
end
local data = {}
for i = 1, 6 do
  local x = torch.randn(3)
  table.insert(data, {x = x, y = torch.Tensor{x:sum()}})
end
local ex = Experiment{nin = 3, nhid = 4, lr = 0.05}
print(ex:run(data, 4), #ex.history)
for i, h in ipairs(ex.history) do print(i, string.format('%.8f', h)) end
