-- unsup: modules whose updateOutput(input, target) gives a cost, and whose gradients are those of that cost.
--
-- Arguments: core {fail}, unsup.

local core, unsup = ...
local fail = core.fail
local torch, nn, type = torch, nn, type

local Unsup, parent = torch.class('unsup.UnsupModule', 'nn.Module')

function Unsup:__init() parent.__init(self) end

function Unsup:normalize()
   fail('%s does not say how it is normalized', torch.type(self))
end

-- Every filter of a weight, or every column of a matrix, divided by its norm.
function unsup._normalize(weight)
   local function one(filter) filter:div(filter:norm() + 1e-12) end
   local dims = weight and weight:dim() or 0
   if dims < 2 then return end
   if dims > 5 then fail('a weight of %d dimensions cannot be normalized', dims) end
   -- of 3 dimensions the last two are a filter, of more all but the first two (of 5 but the first three)
   local outer = dims == 2 and weight:t() or weight
   local function down(part, depth)
      for i = 1, part:size(1) do
         local inner = part:select(1, i)
         if depth == 1 then one(inner) else down(inner, depth - 1) end
      end
   end
   down(outer, ({[2] = 1, [3] = 1, [4] = 2, [5] = 3})[dims])
end

-- The rates of encoder and decoder: one for both, or two.
local function both(rate)
   if type(rate) == 'number' then return rate, rate end
   return rate[1], rate[2]
end

-- The common methods of modules with an encoder and a decoder.
local function of_two_parts(class)
   function class:parameters()
      return nn.Sequential():add(self.encoder):add(self.decoder):parameters()
   end

   function class:initDiagHessianParameters()
      if not self.encoder.initDiagHessianParameters then
         fail('%s: there are no second derivatives without nn.hessian.enable()', torch.type(self))
      end
      self.encoder:initDiagHessianParameters()
      self.decoder:initDiagHessianParameters()
   end

   function class:reset(stdv)
      self.decoder:reset(stdv)
      self.encoder:reset(stdv)
   end

   function class:zeroGradParameters()
      self.encoder:zeroGradParameters()
      self.decoder:zeroGradParameters()
   end

   function class:updateParameters(rate)
      local of_encoder, of_decoder = both(rate)
      self.encoder:updateParameters(of_encoder)
      self.decoder:updateParameters(of_decoder)
   end
end
unsup._of_two_parts = of_two_parts

-- An auto-encoder with `cost(self)`, a criterion of the code with the factor `lambda`, or none.
local function auto_encoder(class, cost)
   of_two_parts(class)

   function class:updateOutput(input, target)
      local code = self.encoder:updateOutput(input)
      local decoded = self.decoder:updateOutput(code)
      self.output = self.loss:updateOutput(decoded, target) * self.beta
      if self.lambda then self.output = self.output + self.lambda * cost(self):updateOutput(code) end
      return self.output
   end

   function class:updateGradInput(input, target)
      local code = self.encoder.output
      local gradient = self.loss:updateGradInput(self.decoder.output, target):mul(self.beta)
      local of_code = self.decoder:updateGradInput(code, gradient)
      if self.lambda then of_code:add(cost(self):updateGradInput(code):mul(self.lambda)) end
      self.gradInput = self.encoder:updateGradInput(input, of_code)
      return self.gradInput
   end

   function class:accGradParameters(input)
      self.decoder:accGradParameters(self.encoder.output, self.loss.gradInput)
      self.encoder:accGradParameters(input, self.decoder.gradInput)
   end

   function class:updateDiagHessianInput(input, target)
      local code = self.encoder.output
      local second = self.loss:updateDiagHessianInput(self.decoder.output, target):mul(self.beta)
      local of_code = self.decoder:updateDiagHessianInput(code, second)
      if self.lambda then of_code:add(cost(self):updateDiagHessianInput(code):mul(self.lambda)) end
      self.diagHessianInput = self.encoder:updateDiagHessianInput(input, of_code)
      return self.diagHessianInput
   end

   function class:accDiagHessianParameters(input)
      self.decoder:accDiagHessianParameters(self.encoder.output, self.loss.diagHessianInput)
      self.encoder:accDiagHessianParameters(input, self.decoder.diagHessianInput)
   end
end

local function squares()
   local criterion = nn.MSECriterion()
   criterion.sizeAverage = false
   return criterion
end
unsup._squares = squares

-- unsup.AutoEncoder(encoder, decoder, beta[, loss, lambda, codeloss]): beta * loss(decoder(encoder(x)), target) +
-- lambda * codeloss(encoder(x)). The loss is the sum of squares by default. normalize() does something where the field
-- `normalized` is set.
local Auto = torch.class('unsup.AutoEncoder', 'unsup.UnsupModule')

function Auto:__init(encoder, decoder, beta, loss, lambda, codeloss)
   self.encoder, self.decoder, self.beta = encoder, decoder, beta
   self.loss = loss or squares()
   if lambda and codeloss then self.codecost, self.lambda = codeloss, lambda end
end

auto_encoder(Auto, function(self) return self.codecost end)

function Auto:normalize()
   if self.normalized then unsup._normalize(self.decoder.weight) end
end

-- unsup.SparseAutoEncoder(encoder, decoder, beta, lambda[, loss]): the same, the code's loss being sum |x|.
local Sparse = torch.class('unsup.SparseAutoEncoder', 'unsup.UnsupModule')

function Sparse:__init(encoder, decoder, beta, lambda, loss)
   self.encoder, self.decoder, self.beta, self.lambda = encoder, decoder, beta, lambda
   self.sparseCost = nn.L1Cost()
   self.loss = loss or squares()
end

auto_encoder(Sparse, function(self) return self.sparseCost end)
