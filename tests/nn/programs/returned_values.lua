-- How many values each method of each class returns, and what they are.
--
-- Arguments: a Lua file that returns cases {expression, input, seed, target}. Each method is called on the first case whose
-- module has it from the class that defines it. Each line: the number of the case, the method, and a letter for each
-- returned value: `s` the module itself, `n` nil, `v` another value; `-` for none, `error` for an error.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

local function identity(m) return m end

-- What the methods are called with, where not with nothing; a function gets the module, its input and its gradient.
local ARGUMENTS = {
   forward = function(m, x, g) return x, m.gradInput ~= nil and g or nil end,
   updateOutput = function(m, x, g) return x, g end,
   updateGradInput = function(m, x, g) return x, g end,
   accGradParameters = function(m, x, g) return x, g, 1 end,
   accUpdateGradParameters = function(m, x, g) return x, g, 0.1 end,
   sharedAccUpdateGradParameters = function(m, x, g) return x, g, 0.1 end,
   defaultAccUpdateGradParameters = function(m, x, g) return x, g, 0.1 end,
   backward = function(m, x, g) return x, g end,
   backwardUpdate = function(m, x, g) return x, g, 0.1 end,
   updateParameters = function() return 0.1 end,
   updateGradParameters = function() return 0.9 end,
   momentumGradParameters = function() end,
   maxParamNorm = function() return 1 end,
   gradParamClip = function() return 1 end,
   weightDecay = function() return 0.1 end,
   share = function(m) return m:clone(), 'weight', 'bias' end,
   sharedType = function() return 'torch.FloatTensor' end,
   type = function() return 'torch.FloatTensor' end,
   apply = function() return identity end,
   applyToModules = function() return identity end,
   replace = function() return identity end,
   add = function() return nn.Identity() end,
   insert = function() return nn.Identity(), 1 end,
   remove = function() return 1 end,
   get = function() return 1 end,
   findModules = function() return 'nn.Linear' end,
   remember = function() return 'both' end,
   reinforce = function(m, x) return torch.ones(torch.isTensor(x) and x:size(1) or 1) end,
   setOutputStep = function() return 1 end,
   getStepModule = function() return 1 end,
   maxBPTTstep = function() return 5 end,
   getHiddenState = function() return 1 end,
   getGradHiddenState = function() return 1 end,
   setHiddenState = function(m) return 1, m:getHiddenState(1) end,
   setGradHiddenState = function(m) return 1, m:getGradHiddenState(1) end,
   maskZero = function() return 1 end,
   trimZero = function() return 1 end,
   setp = function() return 0.3 end,
   setGradNormalization = function() return true end,
   __call__ = function() return nn.Identity()() end,
   seq2seq = function() end,
}
-- Not called: what needs a file or a processor that is not there, draws pictures, or never returns.
local LEFT = {write = true, read = true, cuda = true, cudaHalf = true, cudaDouble = true, half = true, fg = true, bg = true}

local function prepared(case)
   local m, x = make(case[1], case[3]), make(case[2], case[3])
   torch.manualSeed(case[3])
   local g = case[4] and make(case[4], case[3])
   if g == nil then g = map(m:forward(x), function(y) return y:clone():fill(0.5) end) else m:forward(x, g) end
   pcall(m.backward, m, x, g)
   return m, x, g
end

local function letters(m, ok, ...)
   if not ok then return 'error' end
   local found = {}
   for i = 1, select('#', ...) do
      local value = select(i, ...)
      found[i] = rawequal(value, m) and 's' or value == nil and 'n' or 'v'
   end
   return found[1] and table.concat(found) or '-'
end

local done = {}
local function each_method(m, f)
   local class = getmetatable(m)
   while class do
      done[class] = done[class] or {}
      local names = {}
      for name, value in pairs(class) do
         if type(name) == 'string' and type(value) == 'function' and (name == '__call__' or not name:match('^__')) then
            names[#names + 1] = name
         end
      end
      table.sort(names)
      for _, name in ipairs(names) do
         if not done[class][name] and not LEFT[name] and rawequal(m[name], class[name]) then
            done[class][name] = true
            f(name)
         end
      end
      class = getmetatable(class)
   end
end

local chosen = arg[2] and dofile(arg[2])     -- by number, the methods to call
for number, case in ipairs(cases) do
   local function tell(name)
      local called, text = pcall(function()
         local m, x, g = prepared(case)
         local arguments = ARGUMENTS[name] or function() end
         return letters(m, pcall(m[name], m, arguments(m, x, g)))
      end)
      write(('%d %s %s\n'):format(number, name, called and text or 'error'))
   end
   if chosen then
      for _, name in ipairs(chosen[number] or {}) do tell(name) end
   else
      local ok, m = pcall(make, case[1], case[3])
      if ok then each_method(m, tell) end
   end
end
