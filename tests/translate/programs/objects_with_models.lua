-- Objects that make, keep and train their models: by torch.class with a parent, and by metatables.
require 'nn'

torch.manualSeed(6)

-- an autoencoder in fields, of the sizes that the object keeps
do
   local Model = torch.class('Model')

   function Model:__init(nin, nhid, nout, opt)
      self.nin, self.nhid, self.nout = nin, nhid, nout
      self.opt = opt
      self.encoder = nn.Sequential()
      self.encoder:add(nn.Linear(self.nin, self.nhid))
      self.encoder:add(nn.Tanh())
      self.decoder = nn.Sequential()
      self.decoder:add(nn.Linear(self.nhid, self.nout))
      if opt.sigmoid then self.decoder:add(nn.Sigmoid()) end
      self.net = nn.Sequential():add(self.encoder):add(self.decoder)
      self.criterion = nn.MSECriterion()
   end

   function Model:trainStep(x, y, lr)
      local pred = self.net:forward(x)
      local loss = self.criterion:forward(pred, y)
      self.net:zeroGradParameters()
      self.net:backward(x, self.criterion:backward(pred, y))
      self.net:updateParameters(lr)
      return loss
   end

   function Model:encode(x) return self.encoder:forward(x) end
end

local m = Model(5, 3, 5, {sigmoid = true})
local x = torch.rand(10, 5)
for i = 1, 5 do print(i, m:trainStep(x, x, 0.5)) end
print(m:encode(x):norm())

-- whose classes say what the model is, one with a class of its own in the page
do
   torch.class('Base')
   function Base:__init(opt)
      self.opt = opt
      self.net = self:makeNet()
      self.loss = nn.MSECriterion()
   end

   function Base:step(x, y)
      local out = self.net:forward(x)
      local err = self.loss:forward(out, y)
      local grad = self.loss:backward(out, y)
      self.net:zeroGradParameters()
      self.net:backward(x, grad)
      self.net:updateParameters(self.opt.lr)
      return err
   end

   local _, parent = torch.class('Wide', 'Base')
   function Wide:__init(opt)
      parent.__init(self, opt)
      self.kind = 'wide'
   end
   function Wide:makeNet()
      return nn.Sequential()
         :add(nn.ConcatTable():add(nn.Linear(self.opt.nin, 4)):add(nn.Linear(self.opt.nin, 4)))
         :add(nn.CMulTable()):add(nn.Linear(4, 1))
   end

   local _, deepParent = torch.class('Deep', 'Base')
   function Deep:__init(opt)
      deepParent.__init(self, opt)
      self.kind = 'deep'
   end
   function Deep:makeNet()
      local net = nn.Sequential()
      local n = self.opt.nin
      for i = 1, self.opt.depth do
         net:add(nn.Linear(n, 4)):add(nn.Tanh())
         n = 4
      end
      net:add(nn.Linear(n, 1))
      return net
   end
end

local z = torch.randn(8, 3)
local y = z:sum(2)
for _, object in ipairs{Wide{nin = 3, lr = 0.1, depth = 0}, Deep{nin = 3, lr = 0.1, depth = 2}} do
   for i = 1, 3 do print(object.kind, i, object:step(z, y)) end
end

-- a target that the same network made, of which nothing goes back
local Agent = {}
Agent.__index = Agent

function Agent.new(nstates, nactions)
   local self = setmetatable({}, Agent)
   self.nstates, self.nactions = nstates, nactions
   self.net = self:build()
   self.crit = nn.MSECriterion()
   return self
end

function Agent:build()
   local branches = nn.Sequential()
      :add(nn.ConcatTable():add(nn.Linear(self.nstates, self.nactions)):add(nn.Linear(self.nstates, self.nactions)))
      :add(nn.CAddTable()):add(nn.Tanh())
   return branches
end

function Agent:learn(s)
   local target = self.net:forward(s):clone():mul(0.9):add(0.1)
   local q = self.net:forward(s)
   local loss = self.crit:forward(q, target)
   self.net:zeroGradParameters()
   self.net:backward(s, self.crit:backward(q, target))
   self.net:updateParameters(0.5)
   return loss
end

local agent = Agent.new(4, 2)
for i = 1, 5 do print(i, agent:learn(torch.randn(6, 4))) end
