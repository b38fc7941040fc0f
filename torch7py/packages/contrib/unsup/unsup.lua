-- unsup: k-means, principal components, whitening, and modules that learn without targets.
--
-- Arguments: core {fail}, host, unsup, chunk.

local core, _, unsup, chunk = ...
local fail = core.fail
local torch, nn, xlua, math, ipairs, type = torch, nn, xlua, math, ipairs, type

-- x:shrinkage(lambda): soft thresholding by lambda, in place.
local function shrinkage(x, lambda)
   if type(lambda) ~= 'number' or lambda < 0 then fail 'shrinkage: a number of at least 0 expected' end
   if lambda > 0 then
      local rest = torch.abs(x):add(-lambda):cmax(0)
      x:sign():cmul(rest)
   end
   return x
end
for _, name in ipairs {'Double', 'Float', 'Cuda'} do
   local mt = torch.getmetatable('torch.' .. name .. 'Tensor')
   if mt then mt.shrinkage = shrinkage end
end

-- centers, counts = unsup.kmeans(x, k[, niter, batchsize, callback, verbose]): k centers of the rows of x.
--
-- They begin as normal numbers of norm 1. In each of niter (1) turns a center becomes the mean of the rows nearest to
-- it, or stays where there are none; rows are looked at in portions of batchsize. callback(turn, centers, counts) is
-- called before the first turn, as turn 0, and after each; what is true ends it. counts adds up over the turns.
function unsup.kmeans(x, k, niter, batchsize, callback, verbose)
   if not torch.isTensor(x) or type(k) ~= 'number' then fail 'unsup.kmeans: a tensor and a number of centers expected' end
   niter, batchsize = niter or 1, batchsize or math.min(1000, x:size(1))
   local shape = x:size()
   shape[1] = k
   local rows = x:dim() > 2 and x:reshape(x:size(1), x:nElement() / x:size(1)) or x
   local count, width = rows:size(1), rows:size(2)

   local centers = rows.new(k, width):normal()
   for i = 1, k do centers[i]:div(centers[i]:norm()) end
   local total = rows.new(k):zero()
   if callback then callback(0, centers:reshape(shape), total) end

   for turn = 1, niter do
      if verbose then xlua.progress(turn, niter) end
      local half = torch.pow(centers, 2):sum(2):mul(0.5)
      local sums, counts = rows.new(k, width):zero(), rows.new(k):zero()
      for first = 1, count, batchsize do
         local batch = rows:narrow(1, first, math.min(batchsize, count - first + 1))
         -- the nearest has the largest c x - |c|^2 / 2
         local near = torch.mm(centers, batch:t())
         near:add(-1, half:expandAs(near))
         local _, labels = near:max(1)
         local chosen = rows.new(batch:size(1), k):zero():scatter(2, labels:t(), 1)
         sums:addmm(chosen:t(), batch)
         counts:add(chosen:sum(1):view(-1))
      end
      for i = 1, k do
         if counts[i] ~= 0 then centers[i]:copy(sums[i]):div(counts[i]) end
      end
      total:add(counts)
      if callback and callback(turn, centers:reshape(shape), total) then break end
   end
   return centers:reshape(shape), total
end

local function centered(x) return x - torch.mean(x, 1):expandAs(x) end

-- values, vectors = unsup.pcacov(x): of the covariance matrix of the columns, in increasing order.
function unsup.pcacov(x)
   local rest = centered(x)
   return torch.symeig(torch.mm(rest:t(), rest):div(x:size(1) - 1), 'V')
end

-- values, vectors = unsup.pca(x): the same in decreasing order, by a singular value decomposition.
function unsup.pca(x)
   local vectors, values = torch.svd(centered(x):div(math.sqrt(x:size(1) - 1)):t())
   return values:cmul(values), vectors
end

chunk('whitening.lua')(core, unsup)
chunk('modules.lua')(core, unsup)
chunk('sparse.lua')(core, unsup)
chunk('trainer.lua')(core, unsup)

local enable = nn.hessian.enable
function nn.hessian.enable()
   enable()
   function nn.Diag:updateDiagHessianInput(input, diagHessianOutput)
      return nn.hessian.updateDiagHessianInput(self, input, diagHessianOutput, {'weight'})
   end
   function nn.Diag:accDiagHessianParameters(input, diagHessianOutput)
      nn.hessian.accDiagHessianParameters(self, input, diagHessianOutput, {'gradWeight'}, {'diagHessianWeight'})
   end
   function nn.Diag:initDiagHessianParameters()
      nn.hessian.initDiagHessianParameters(self, {'gradWeight'}, {'diagHessianWeight'})
   end
end
