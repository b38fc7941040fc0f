require 'nn'
torch.manualSeed(3)
local A, parent = torch.class('nn.Base', 'nn.Module')
function A:__init() parent.__init(self) self.scale = 3 self.train = false self.net = nn.Dropout(0.3) end
function A:training() self.train = true end
function A:evaluate() self.train = false end
function A:updateOutput(x) self.output = self.net:forward(x) * self.scale if self.train then self.output = self.output + 1 end return self.output end
local B, pb = torch.class('nn.Derived', 'nn.Base')
function B:training() pb.training(self) self.scale = 5 end
local C, pc = torch.class('nn.Derived2', 'nn.Derived')
function C:training() self.train = true end
local x = torch.randn(20)
for i, net in ipairs({nn.Base(), nn.Derived(), nn.Derived2()}) do
local seq = nn.Sequential():add(nn.Linear(20,2)):add(net)
print(net:forward(x):sum(), seq:forward(x):sum())
net:evaluate()
print(net:forward(x):sum(), seq:forward(x):sum())
seq:training()
print(net:forward(x):sum(), seq:forward(x):sum())
net:training()
print(net:forward(x):sum(), seq:forward(x):sum())
seq:evaluate()
print(net:forward(x):sum(), seq:forward(x):sum())
end
