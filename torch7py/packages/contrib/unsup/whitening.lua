-- unsup: whitening of data, in the basis of its principal components (pca) or in the original one (zca).
--
-- Data is (examples, ...); all dimensions but the first are one vector. P maps the centred data to uncorrelated
-- components of variance 1, and invP maps them back.
--
-- Arguments: core {fail}, unsup.

local core, unsup = ...
local fail = core.fail
local torch, nn = torch, nn
local EPSILON = 1e-5      -- added to the variances

local function rows_of(data)
   if not torch.isTensor(data) or data:dim() < 2 then fail 'unsup: data of at least 2 dimensions expected' end
   return data:clone():view(data:size(1), -1)
end

-- The means, P and invP of data.
local function learned(rows, both_ways, epsilon)
   local means = torch.mean(rows, 1):view(-1)
   local values, vectors = unsup.pcacov(rows)
   local deviations = values:add(epsilon or EPSILON):sqrt()
   local turned = torch.diag(torch.cdiv(torch.ones(deviations:size()):typeAs(deviations), deviations))
   local P, invP = torch.mm(vectors, turned), torch.mm(torch.diag(deviations), vectors:t())
   if both_ways then P, invP = torch.mm(P, vectors:t()), torch.mm(vectors, invP) end
   return means, P, invP
end

local function whitened(both_ways, needs_inverse)
   return function(data, means, P, invP, epsilon)
      local rows = rows_of(data)
      if not means or not P or (needs_inverse and not invP) then means, P, invP = learned(rows, both_ways, epsilon) end
      rows:add(-1, means:view(1, -1):expandAs(rows))
      return torch.mm(rows, P):resizeAs(data), means, P, invP
   end
end

-- data, means, P, invP = unsup.zca_whiten(data[, means, P, invP, epsilon]): computed from the data by default.
unsup.zca_whiten = whitened(true, true)
-- data, means, P, invP = unsup.pca_whiten(data[, means, P, invP])
unsup.pca_whiten = whitened(false, false)

-- data, means, P, invP = unsup.zca_colour(data, means, P, invP), or pca_colour: whitened data as it was.
local function coloured(data, means, P, invP)
   if not means or not invP then fail 'unsup: the means and invP that whitening gave expected' end
   local rows = torch.mm(rows_of(data), invP)
   rows:add(means:view(1, -1):expandAs(rows))
   return rows:resizeAs(data), means, P, invP
end
unsup.zca_colour, unsup.pca_colour = coloured, coloured

-- The linear layer of a matrix and a bias, for data of this shape.
local function layer_of(data, matrix, bias)
   local width = data:nElement() / data:size(1)
   local linear = nn.Linear(width, width)
   linear.weight:copy(matrix:t())
   linear.bias:copy(bias)
   if data:dim() == 2 then return linear end
   return nn.Sequential():add(nn.Reshape(data:size(1), width)):add(linear):add(nn.Reshape(data:size()))
end

for _, name in ipairs {'zca', 'pca'} do
   local whiten = unsup[name .. '_whiten']
   local function complete(data, means, P, invP)
      if means and P and invP then return means, P, invP end
      local _
      _, means, P, invP = whiten(data)
      return means, P, invP
   end

   -- layer, means, P, invP = unsup.zca_layer(data[, means, P, invP]), or pca_layer: a layer that whitens.
   unsup[name .. '_layer'] = function(data, means, P, invP)
      means, P, invP = complete(data, means, P, invP)
      return layer_of(data, P, -torch.mv(P:t(), means)), means, P, invP
   end

   -- layer, means, P, invP = unsup.inv_zca_layer(data[, means, P, invP]), or inv_pca_layer: one that undoes it.
   unsup['inv_' .. name .. '_layer'] = function(data, means, P, invP)
      means, P, invP = complete(data, means, P, invP)
      return layer_of(data, invP, means), means, P, invP
   end
end
