-- Results that a program keeps, and views of them, while its model is copied, saved, converted and computed in turn by
-- all that computes models. Printed is each that did not show the module's latest numbers: in the original none.
require 'nngraph'

local models = {
   table = function()
      local branch = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
      return nn.Sequential():add(nn.ConcatTable():add(nn.Linear(3, 2)):add(branch)):add(nn.CMulTable())
   end,
   concat = function()
      return nn.Sequential():add(nn.Concat(2):add(nn.Linear(3, 2)):add(nn.Sigmoid())):add(nn.Linear(5, 2))
   end,
   graph = function()
      local input = nn.Identity()()
      local sum = nn.CAddTable()({nn.Tanh()(nn.Linear(3, 4)(input)), nn.Linear(3, 4)(input)})
      return nn.gModule({input}, {nn.LogSoftMax()(nn.Linear(4, 2)(sum))})
   end,
   convolution = function()
      local whole = nn.Sequential():add(nn.View(1, 3, 1)):add(nn.SpatialConvolution(1, 2, 1, 2)):add(nn.Threshold())
      return whole:add(nn.View(4)):add(nn.Linear(4, 2))
   end,
   wide = function()
      return nn.Sequential():add(nn.Linear(3, 300)):add(nn.BatchNormalization(300)):add(nn.Tanh()):add(nn.Linear(300, 2))
   end,
}
local changes = {
   none = function(m) return m end,
   clone = function(m) return m:clone() end,
   shared = function(m) return m:clone('weight', 'bias', 'gradWeight', 'gradBias') end,
   saved = function(m) return torch.deserialize(torch.serialize(m)) end,
   type = function(m) return m:float():double() end,
   flat = function(m) m:getParameters() return m end,
   evaluation = function(m) m:evaluate() return m end,
}
-- Their results are other modules', or views of what they are given.
local ALIASES = {'nn.Sequential', 'nn.gModule', 'nn.Identity', 'nn.View', 'nn.ConcatTable'}

local function is_alias(m)
   for _, name in ipairs(ALIASES) do
      if torch.typename(m) == name then return true end
   end
end

local function step(model, i)
   local x = torch.randn(2, 3)
   model:forward(x)
   model:backward(i % 2 == 0 and x or x:clone(), torch.Tensor(2, 2):fill(i))
end

for name, new in pairs(models) do
   for change, f in pairs(changes) do
      for before = 1, 2 do
         torch.manualSeed(1)
         local model = new()
         for i = 1, before do step(model, i) end
         model = f(model)
         local kept = {}
         model:apply(function(m)
            for _, field in ipairs{'output', 'gradInput'} do
               local t = m[field]
               if torch.isTensor(t) and not is_alias(m) then
                  kept[#kept + 1] = {module = m, field = field, tensor = t, view = t[2]:narrow(1, 1, 1)}
               end
            end
         end)
         for i = 3, 6 do
            step(model, i)
            for _, k in ipairs(kept) do
               local now = k.module[k.field]
               local seen = k.tensor:dist(now) == 0 and k.view:dist(now[2]:narrow(1, 1, 1)) == 0
               if not seen then print(name, change, before, i, torch.typename(k.module), k.field) end
            end
         end
      end
   end
end
