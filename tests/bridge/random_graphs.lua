-- Random graphs of nngraph and what they give: a line for each step of each, with sums of all that scripts see.
--
-- Arguments: the first and the last seed. Runs under the original too.
require 'nngraph'

local double = torch.class('Double', 'nn.Module')
function double:updateOutput(x)
   self.output = x * 2
   return self.output
end
function double:updateGradInput(_, g)
   self.gradInput = g * 2
   return self.gradInput
end

local gain = torch.class('Gain', 'nn.Module')
function gain:__init(n)
   nn.Module.__init(self)
   self.weight, self.gradWeight = torch.Tensor(n):uniform(-1, 1), torch.zeros(n)
end
function gain:updateOutput(x)
   self.output:resizeAs(x):copy(x)
   for i = 1, x:size(1) do self.output[i]:cmul(self.weight) end
   return self.output
end
function gain:updateGradInput(_, g)
   self.gradInput:resizeAs(g):copy(g)
   for i = 1, g:size(1) do self.gradInput[i]:cmul(self.weight) end
   return self.gradInput
end
function gain:accGradParameters(x, g, scale)
   for i = 1, g:size(1) do self.gradWeight:addcmul(scale or 1, g[i], x[i]) end
end

local product = torch.class('Product', 'nn.Module')
function product:__init()
   nn.Module.__init(self)
   self.gradInput = {torch.Tensor(), torch.Tensor()}
end
function product:updateOutput(x)
   self.output = torch.cmul(x[1], x[2])
   return self.output
end
function product:updateGradInput(x, g)
   self.gradInput[1]:resizeAs(x[1]):copy(g):cmul(x[2])
   self.gradInput[2]:resizeAs(x[2]):copy(g):cmul(x[1])
   return self.gradInput
end

local any = torch.random
local function chance(n) return any(1, n) == 1 end

-- Of each layer: f(x, its width, same = f(width) -> another node of that width, all = f() -> any node) -> node, its width, perhaps a
-- second one.
local LAYERS = {
   function(x, w) local o = any(1, 5) return nn.Linear(w, o, not chance(4))(x), o end,
   function(x, w) local o = any(1, 5) return nn.Linear(w, o)(x), o end,
   function(x, w) return nn.Tanh()(x), w end,
   function(x, w) return nn.Sigmoid()(x), w end,
   function(x, w) return nn.SoftPlus()(x), w end,
   function(x, w, same) return nn.CAddTable()({x, same(w)}), w end,
   function(x, w, same) return nn.CAddTable()({x, same(w)}), w end,
   function(x, w, same) return nn.CMulTable()({x, same(w)}), w end,
   function(x, w, same) return nn.CSubTable()({x, same(w)}), w end,
   function(x, w, _, all)
      local y, v = all()
      return nn.JoinTable(2)({x, y}), w + v
   end,
   function(x, w) return nn.SoftMax()(x), w end,
   function(x, w) return nn.LogSoftMax()(x), w end,
   function(x, w) return nn.AddConstant(0.5)(nn.MulConstant(-1)(x)), w end,
   function(x, w) return nn.Identity()(x), w end,
   function(x, w)
      local dim = any(2, 3)
      return nn.Sum(dim, nil, chance(2))(nn.Replicate(3, dim)(x)), w
   end,
   function(x, w)
      if w % 2 == 1 then return nn.Identity()(x), w end
      local first, second = nn.SplitTable(2)(nn.Reshape(2, w / 2, true)(x)):split(2)
      return first, w / 2, second
   end,
   function(x, w) return nn.Sequential():add(nn.Linear(w, 3)):add(nn.ReLU()):add(nn.Linear(3, 2))(x), 2 end,
   function(x, w, same)
      local product = nn.MM(false, true)({nn.Replicate(1, 2)(x), nn.Replicate(1, 2)(same(w))})
      return nn.Sum(2)(product), 1
   end,
   function(x, w, same)
      local a, b = nn.Identity()(), nn.Identity()()
      return nn.gModule({a, b}, {nn.CAddTable()({nn.Tanh()(a), nn.Sigmoid()(b)})})({x, same(w)}), w
   end,
   function(x, w) return Double()(x), w end,
   function(x, w) return Gain(w)(x), w end,
   function(x, w, same) return Product()({x, same(w)}), w end,
   function(x, w, same) return nn.SelectTable(1)({x, same(w)}), w end,
   function(x, w)
      local first = any(1, w)
      local length = any(1, w - first + 1)
      return nn.Narrow(2, first, length)(x), length
   end,
   function(x, w) return nn.Sum(3)(nn.Transpose({2, 3})(nn.Replicate(3, 2)(x))), w end,
}

-- A graph on batches of rows, what it takes, {kind, columns} each, and the columns of its outputs.
local function random_graph()
   local inputs, kinds, nodes = {}, {}, {}
   for i = 1, any(1, 3) do
      local node, width = nn.Identity()(), any(1, 5)
      inputs[i] = node
      if i > 1 and chance(4) then
         kinds[i] = {'words', width}
         nodes[#nodes + 1] = {nn.LookupTable(6, width)(node), width}
      elseif chance(4) then
         local a, b = node:split(2)
         kinds[i] = {'pair', width}
         nodes[#nodes + 1], nodes[#nodes + 2] = {a, width}, {b, width}
      else
         kinds[i] = {'rows', width}
         nodes[#nodes + 1] = {node, width}
      end
   end
   local used, last = {}, nil
   local function take(entry)
      used[entry[1]] = true
      if entry[1] == last then return nn.Identity()(entry[1]), entry[2] end   -- no node may be given twice
      last = entry[1]
      return entry[1], entry[2]
   end
   local function all() return take(nodes[any(1, #nodes)]) end
   local function same(width)
      local list = {}
      for _, entry in ipairs(nodes) do
         if entry[2] == width then list[#list + 1] = entry end
      end
      return (take(list[any(1, #list)]))
   end
   for _ = 1, any(2, 12) do
      last = nil
      local x, width = all()
      local node, its_width, second = LAYERS[any(1, #LAYERS)](x, width, same, all)
      nodes[#nodes + 1] = {node, its_width}
      if second then nodes[#nodes + 1] = {second, its_width} end
   end
   local outputs, widths = {}, {}
   for _, entry in ipairs(nodes) do
      if not used[entry[1]] then
         outputs[#outputs + 1], widths[#widths + 1] = nn.Identity()(entry[1]), entry[2]
      end
   end
   return nn.gModule(inputs, outputs), kinds, widths
end

-- Type, dimensions and sum of a tensor, of all tensors in a table.
local function show(value)
   if type(value) ~= 'table' then
      return value == nil and 'nil' or string.format('%s%d:%.5f', torch.type(value):sub(7, 7), value:dim(), value:double():sum())
   end
   local parts = {}
   for i = 1, #value do parts[i] = show(value[i]) end
   return '{' .. table.concat(parts, ' ') .. '}'
end

-- Random numbers, which seldom lie in one piece.
local function matrix(rows, columns, type)
   local how = any(1, 12)
   if how == 1 then return torch.randn(columns, rows):type(type):t() end
   if how == 2 then return torch.randn(1, 1):type(type):expand(rows, columns) end
   if how == 3 then return torch.randn(rows, columns + 2):type(type):narrow(2, 2, columns) end
   return torch.randn(rows, columns):type(type)
end

local function data(kind, rows, type)
   if kind[1] == 'words' then return torch.LongTensor(rows):random(1, 6) end
   if kind[1] == 'pair' then return {matrix(rows, kind[2], type), matrix(rows, kind[2], type)} end
   return matrix(rows, kind[2], type)
end

local function run(seed)
   torch.manualSeed(400 + seed)   -- seeds for which the original has no error
   local first, kinds, widths = random_graph()
   first:zeroGradParameters()
   if chance(3) then first:float() end
   local type, copies, rows = first:type(), {first}, any(1, 4)
   local parameters, gradients = first:parameters()
   if chance(3) then copies[2] = first:clone('weight', 'bias', 'gradWeight', 'gradBias') end
   for step = 1, any(3, 7) do
      if chance(8) then rows = any(1, 4) end
      local m, input = copies[any(1, #copies)], {}
      for i, kind in ipairs(kinds) do input[i] = data(kind, rows, type) end
      if #kinds == 1 then input = input[1] end
      if chance(6) then
         for _, gradient in ipairs(gradients) do gradient:zero() end
      end
      if chance(8) then
         for i, parameter in ipairs(parameters) do parameter:add(-0.1, gradients[i]) end
      end
      if chance(12) then first:training() end
      local line = {seed, step, show(m:forward(input))}
      if chance(6) then line[#line + 1] = 'taken' .. show(m.forwardnodes[any(1, #m.forwardnodes)].data.input) end
      if not chance(5) then
         local gradOutput, how = {}, any(1, 4)
         for i, width in ipairs(widths) do gradOutput[i] = matrix(rows, width, type) end
         if #widths == 1 then gradOutput = gradOutput[1] end
         local gradInput
         if how == 1 then
            gradInput = m:updateGradInput(input, gradOutput)
            m:accGradParameters(input, gradOutput, 0.5)
         else
            gradInput = m:backward(input, gradOutput, how == 2 and 0.7 or nil)
         end
         line[#line + 1] = show(gradInput)
         if chance(6) then line[#line + 1] = 'fields' .. show(m.gradInput) .. show(m.output) end
         if chance(6) then
            local child = m.modules[any(1, #m.modules)]
            line[#line + 1] = 'child' .. show(child.output) .. show(child.gradInput)
         end
      end
      line[#line + 1] = show(gradients)
      print(table.concat(line, ' '))
      if chance(10) then copies[#copies + 1] = m:clone() end
      if chance(15) then first:evaluate() end
   end
end

for seed = tonumber(arg[1]), tonumber(arg[2]) do
   local ok, err = pcall(run, seed)
   if not ok then print(seed .. ' error ' .. tostring(err):gsub('.*: ', '')) end
end
