-- Runs a program with seeds 1 and 1 and collects the losses of its outermost criterions in the global `losses`, the first
-- 50; then ends it.
--
-- arg[1]: the program's file.

local LAST = {}
losses = {}
local original = require

local function watch()
   local nn = package.loaded.nn
   if type(nn) ~= 'table' or not nn.Criterion or watched then return end
   watched = true
   local forward, depth = nn.Criterion.forward, 0
   nn.Criterion.forward = function(self, ...)
      depth = depth + 1
      local loss = forward(self, ...)
      depth = depth - 1
      if depth == 0 then
         losses[#losses + 1] = loss
         if #losses == 50 then error(LAST, 0) end
      end
      return loss
   end
end

function require(...)
   local module = original(...)
   watch()
   return module
end

torch.manualSeed(1)
math.randomseed(1)
arg = {[0] = arg[1]}
local ok, problem = pcall(assert(loadfile(arg[0])))
if not ok and problem ~= LAST then error(problem, 0) end
