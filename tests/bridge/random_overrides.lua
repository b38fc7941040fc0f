-- Random programs of classes and overrides: what is called, in which order, and what comes out.
--
-- Arguments: the first and the last seed. Each seed is a program of its own: it makes classes that derive from built-in ones
-- and from each other, a tree of modules, and then by turns puts methods into base classes, classes and objects, takes
-- them out again, and calls the tree. A line is a step, with a letter for whose method ran and on which module.

require 'rnn'

local first, last = tonumber(arg[1]), tonumber(arg[2])

local state
local function random(n)
   state = (state * 16807) % 2147483647
   return state % n + 1
end
local function pick(list) return list[random(#list)] end

local trace, names, depth
local function note(what, object)
   if #trace < 400 then trace[#trace + 1] = what .. '@' .. tostring(names[object] or '?') end
end

local METHODS = {'updateOutput', 'updateGradInput', 'accGradParameters', 'forward', 'backward', 'zeroGradParameters',
   'updateParameters', 'training', 'evaluate', 'clearState', 'reset', 'parameters', 'applyToModules', 'listModules',
   'findModules', 'apply', 'share', 'float', 'double', 'type', 'accUpdateGradParameters', 'defaultAccUpdateGradParameters',
   'forget', 'sparseParameters', 'weightDecay', 'backwardUpdate', 'rethrowErrors', 'replace', 'remember'}
local BASES = {'nn.Module', 'nn.Container', 'nn.Linear', 'nn.Tanh', 'nn.Sequential', 'nn.Identity', 'nn.ReLU', 'nn.Threshold',
   'nn.ConcatTable', 'nn.ParallelTable', 'nn.Concat', 'nn.CAddTable', 'nn.Dropout', 'nn.Sigmoid', 'nn.MulConstant'}
local PARENTS = {'nn.Module', 'nn.Linear', 'nn.Tanh', 'nn.Sequential', 'nn.Identity', 'nn.ReLU', 'nn.Container', 'nn.MulConstant'}
local DERIVABLE = {['nn.Linear'] = '2,2', ['nn.MulConstant'] = '2'}

local function class_named(name) return torch.getmetatable(name) end

-- The modules of a program: a class's own methods say so and call the parent's.
local function make_class(seed, number, classes)
   local parent = #classes > 0 and random(3) == 1 and pick(classes) or {name = pick(PARENTS)}
   local name = ('nn.R%d_%d'):format(seed, number)
   local c, above = torch.class(name, parent.name)
   local root = parent.root or parent.name
   for _ = 1, random(3) do
      local method = pick(METHODS)
      if method ~= 'rethrowErrors' and method ~= 'applyToModules' or root == 'nn.Sequential' or root == 'nn.Container' then
         c[method] = function(self, ...)
            note(method:sub(1, 6) .. number, self)
            return above[method](self, ...)
         end
      end
   end
   if root == 'nn.Module' or root == 'nn.Container' then
      c.updateOutput = function(self, input)
         note('output' .. number, self)
         self.output = input * 2
         return self.output
      end
      c.updateGradInput = function(self, input, gradOutput)
         note('grad' .. number, self)
         self.gradInput = gradOutput * 2
         return self.gradInput
      end
   end
   classes[#classes + 1] = {name = name, root = root}
end

local all
local function leaf(classes)
   local choice = random(8)
   local m
   if choice <= 3 and #classes > 0 then
      local c = pick(classes)
      local new = loadstring('return ' .. c.name .. '(' .. (DERIVABLE[c.root] or '') .. ')')
      m = new()
      if c.root == 'nn.Sequential' then m:add(nn.Linear(2, 2)) end
   else
      m = ({function() return nn.Linear(2, 2) end, nn.Tanh, nn.ReLU, nn.Identity, nn.Sigmoid, function() return nn.Dropout(0) end,
            function() return nn.MulConstant(3) end, function() return nn.Linear(2, 2) end})[choice]()
   end
   return m
end

local function tree(classes, level)
   local choice = level > 0 and random(6) or 6
   local m
   if choice <= 2 then
      m = nn.Sequential()
      for _ = 1, random(3) do m:add(tree(classes, level - 1)) end
   elseif choice == 3 then
      m = nn.Sequential():add(nn.ConcatTable():add(tree(classes, level - 1)):add(tree(classes, level - 1)))
             :add(nn.ParallelTable():add(tree(classes, level - 1)):add(tree(classes, level - 1))):add(nn.CAddTable())
   elseif choice == 4 then
      m = nn.Sequential():add(nn.Concat(2):add(tree(classes, level - 1)):add(tree(classes, level - 1))):add(nn.Narrow(2, 1, 2))
   else
      m = leaf(classes)
   end
   return m
end

local function number_all(m)
   local function visit(x)
      if names[x] then return end
      all[#all + 1] = x
      names[x] = #all
      for _, child in ipairs(x.modules or {}) do visit(child) end
   end
   visit(m)
end

local function sum(x)
   if type(x) == 'number' then return ('%.4g'):format(x) end
   if torch.isTensor(x) then return x:nElement() > 0 and ('%.4g'):format(x:sum()) or 'empty' end
   if type(x) == 'table' then return '{' .. sum(x[1]) .. '}' end
   return tostring(x)
end

local function quiet() end

local CALLS = {
   {'forward', function(m, x) return sum(m:forward(x)) end},
   {'backward', function(m, x)
      m:forward(x)
      return sum(m:backward(x, torch.ones(2, 2)))
   end},
   {'halves', function(m, x)
      m:forward(x)
      m:updateGradInput(x, torch.ones(2, 2))
      m:accGradParameters(x, torch.ones(2, 2), 1)
   end},
   {'accUpdate', function(m, x)
      m:forward(x)
      m:backwardUpdate(x, torch.ones(2, 2), 0.01)
   end},
   {'zero', function(m) m:zeroGradParameters() end},
   {'update', function(m) m:updateParameters(0.01) end},
   {'training', function(m) m:training() end},
   {'evaluate', function(m) m:evaluate() end},
   {'clear', function(m) m:clearState() end},
   {'reset', function(m) m:reset(0.1) end},
   {'parameters', function(m)
      local p = m:parameters()
      return p and #p or 0
   end},
   {'list', function(m) return #m:listModules() end},
   {'find', function(m) return #m:findModules('nn.Linear') end},
   {'apply', function(m) m:apply(quiet) end},
   {'types', function(m)
      m:float()
      m:double()
   end},
   {'forget', function(m) m:forget() end},
   {'decay', function(m) m:weightDecay(0.01) end},
   {'replace', function(m) m:replace(function(x) return x end) end},
   {'remember', function(m) m:remember('both') end},
   {'share', function(m) m:share(m, 'weight') end},
}

-- Calls with an input are not for modules inside that take tables.
local FOR_INPUTS = {forward = true, backward = true, halves = true, accUpdate = true}
local TABLES = {['nn.CAddTable'] = true, ['nn.Narrow'] = true}

local function program(seed)
   state = seed * 7919 + 17
   for _ = 1, 5 do random(2) end
   trace, names, all = {}, setmetatable({}, {__mode = 'k'}), {}
   torch.manualSeed(seed)
   local classes = {}
   for number = 1, random(3) do make_class(seed, number, classes) end
   local m = tree(classes, 2)
   number_all(m)
   m:zeroGradParameters()   -- else the original's are what was in memory
   local x = torch.range(1, 4):view(2, 2)
   local undo, mine = {}, {}
   local counter = 0
   local lines = {}
   local function install(place, label)
      local method = pick(METHODS)
      local old = place[method]
      if type(old) ~= 'function' then return end
      counter = counter + 1
      local id = label .. counter
      local own = rawget(place, method)
      local f = function(self, ...)
         note(method:sub(1, 6) .. id, self)
         return old(self, ...)
      end
      place[method] = f
      undo[#undo + 1] = function() rawset(place, method, own) end
      mine[#mine + 1] = {place, method, own}
   end
   local function step()
      local choice = random(8)
      if choice == 1 then install(class_named(pick(BASES)), 'b')
      elseif choice == 2 then install(class_named(torch.type(pick(all))), 'c')
      elseif choice == 3 then install(pick(all), 'i')
      elseif choice == 4 and #mine > 0 then
         local last_one = table.remove(mine)   -- as it was before the last one was put there
         last_one[1][last_one[2]] = last_one[3]
      else
         local call = pick(CALLS)
         trace = {}
         local target = random(4) == 1 and pick(all) or m
         if FOR_INPUTS[call[1]] and target.modules or TABLES[torch.type(target)] then target = m end
         local ok, result = pcall(call[2], target, x)
         local text = ok and tostring(result) or 'error'
         if not ok and os.getenv('SHOW') then print(seed, result) end
         lines[#lines + 1] = call[1] .. ' ' .. text .. ': ' .. table.concat(trace, ' ')
      end
   end
   local ok, message = pcall(function() for _ = 1, 20 do step() end end)
   if not ok then lines[#lines + 1] = 'stopped' if os.getenv('SHOW') then print(message) end end
   for i = #undo, 1, -1 do undo[i]() end
   return lines
end

for seed = first, last do
   print('program ' .. seed)
   for _, line in ipairs(program(seed)) do print((line:gsub('%s+$', ''))) end
end
