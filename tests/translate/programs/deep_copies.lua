-- a table with all that is in it, copied by way of its bytes
require 'torch'
local cmd = torch.CmdLine()
cmd:option('-rate', 0.5)
cmd:option('-name', 'first')
local opt = cmd:parse(arg)
local kept = torch.deserialize(torch.serialize(opt))
opt.rate = opt.rate * 2
print(opt.rate, kept.rate, kept.name)

local state = {steps = {1, 2, 3}, mean = torch.ones(2, 2), twice = {a = {4}, b = {5}}}
local before = torch.deserialize(torch.serialize(state))
state.steps[2] = 20
table.insert(state.steps, 4)
state.mean:add(1)
state.twice.a[1] = 40
print(#state.steps, #before.steps, before.steps[2], before.mean:sum(), state.mean:sum())
print(before.twice.a[1] + before.twice.b[1], state.twice.a[1])
local x = torch.range(1, 3)
local y = torch.deserialize(torch.serialize(x))
x:mul(2)
print(y[3], x[3])
