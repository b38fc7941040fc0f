-- fbnn: methods that draw by Lua's math.random, and classes that consist of Lua tables.
--
-- Arguments: core {fail}, host, fbnn, chunk.

local core, _, _, chunk = ...
local torch, nn, math = torch, nn, math
local Hierarchical = nn.ClassHierarchicalNLLCriterion

-- A sample from log-probabilities: the first index at which their cumulative sum exceeds a random number.
local function drawn(scores)
   local threshold, sum = (math.random(1000000) - 1) / (1000000 - 1), 0
   local shares = torch.exp(scores)
   for i = 1, shares:size(1) do
      sum = sum + shares[i]
      if sum > threshold then return i end
   end
   return shares:size(1)
end

local function likeliest(scores)
   local _, at = torch.max(scores, 1)
   return at[1]
end

-- c:infer(input[, sampling]): {cluster, number in it}, the likeliest, or with sampling true drawn.
function Hierarchical:infer(input, sampling)
   local choose = sampling == true and drawn or likeliest
   self.clusterID = choose(self:_scores(input))
   self.startCluster, self.numClasses = self.startIndex[self.clusterID], self.clusterCounts[self.clusterID]
   self.classID = choose(self:_scores(input, self.clusterID))
   return {self.clusterID, self.classID}
end

-- c:eval(input, target): the target's log10 probability, and 0 if it is above that of a class drawn at random, else 1.
function Hierarchical:eval(input, target)
   self:updateOutput(input, target)
   local function probability()
      return (self:_scores(input)[self.clusterID] + self:_scores(input, self.clusterID)[self.classID]) / math.log(10)
   end
   local threshold, cluster, class = probability(), self.clusterID, self.classID
   local turns = 0
   repeat
      self.clusterID = math.random(self.clusterCounts:size(1))
      self.classID = math.random(self.clusterCounts[self.clusterID])
      turns = turns + 1
   until turns >= 1000 or self.clusterID ~= cluster or self.classID ~= class
   if turns == 1000 then print 'nn.ClassHierarchicalNLLCriterion:eval: no other class was drawn' end
   self.startCluster, self.numClasses = self.startIndex[self.clusterID], self.clusterCounts[self.clusterID]
   return threshold, threshold > probability() and 0 or 1
end

chunk('cache.lua')(core)
chunk('optim.lua')(core)
