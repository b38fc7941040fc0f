-- Options go into a file beside a model, and come back as they were.
require 'nn'
local cmd = torch.CmdLine()
cmd:option('-width', 3, 'columns of the input')
cmd:option('-rate', 0.25, 'step size')
cmd:option('-from', '', 'go on from this file')
local opt = cmd:parse(arg)
torch.manualSeed(6)

opt.width = opt.width + 1
local model = nn.Linear(opt.width, 2)
torch.save('state.t7', {opt = opt, model = model, turn = 7})
torch.save('options.t7', opt)

local function resume(path)
   local state = torch.load(path)
   assert(state.opt.width == opt.width, 'another width')
   print(state.opt.width, state.opt.rate, state.opt.from, state.turn)
   return state.model:forward(torch.ones(state.opt.width)):sum()
end

print(resume('state.t7'))
local old = torch.load('options.t7')
old.rate = old.rate * 2
print(old.width, old.rate, opt.rate)
