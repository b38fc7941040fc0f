-- What a layer or a criterion is given when it is made is worked out then, and not again.
require 'nn'
torch.manualSeed(6)

local made = 0
local function weights()
   made = made + 1
   return torch.Tensor{1, 2, made}
end

local factor = 2
local model = nn.Sequential():add(nn.MulConstant(torch.uniform(1, 2))):add(nn.AddConstant(factor)):add(nn.Linear(4, 3))
model:add(nn.Sigmoid())
local weighted = nn.BCECriterion(weights())
local shares = torch.Tensor{1, 3, 2}
local other = nn.BCECriterion(shares)
shares[1] = 4                        -- the criterion has the same tensor
shares, factor = torch.ones(3), 5    -- these are others

for i = 1, 3 do
   local x, y = torch.randn(2, 4), torch.Tensor(2, 3):random(0, 1)
   model:zeroGradParameters()
   local output = model:forward(x)
   print(weighted:forward(output, y), other:forward(output, y))
   model:backward(x, weighted:backward(output, y))
   model:updateParameters(0.1)
end
print(made, shares:sum(), factor)

-- a class by its number, for several criterions
local both = nn.MultiCriterion():add(nn.CrossEntropyCriterion(), 0.5):add(nn.MultiMarginCriterion())
print(both:forward(torch.Tensor{1, 3, 2}, 2))
print(nn.MultiCriterion():add(nn.MultiMarginCriterion()):forward(torch.Tensor{1, 3, 2}, 2))
