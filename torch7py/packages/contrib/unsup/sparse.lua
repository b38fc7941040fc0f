-- unsup: sparse codes that FISTA finds, and encoders that learn to predict them (PSD).
--
-- Arguments: core {fail}, unsup.

local core, unsup = ...
local fail = core.fail
local torch, nn, math, optim, pairs = torch, nn, math, optim, pairs

-- FISTA's default parameters.
local DEFAULTS = {L = 0.1, Lstep = 1.5, maxiter = 50, maxline = 20, errthres = 1e-4}

local function settings(params)
   params = params or {}
   for name, value in pairs(DEFAULTS) do
      if params[name] == nil then params[name] = value end
   end
   params.doFistaUpdate = true
   return params
end

-- One run from self.code, of factor * cost(D(code), input) + lambda * sum |code|; halves params.L if the run did not
-- change it. Returns the cost and FISTA's history. The functions for FISTA are closures here: as fields, as in the
-- original, they could not be saved.
local function infer(self, input, factor, least)
   self.input = input
   local function smooth(code, mode)
      local reconstruction = self.D:updateOutput(code)
      local value, slope = self.Fcost:updateOutput(reconstruction, input) * factor, nil
      if mode and mode:match 'dx' then
         local gradient = self.Fcost:updateGradInput(reconstruction, input)
         if factor ~= 1 then gradient:mul(factor) end
         slope = self.D:updateGradInput(code, gradient)
      end
      return value, slope
   end
   local function sparse(code) return self.lambda * self.Gcost:updateOutput(code) end
   local function nearer(code, L) code:shrinkage(self.lambda / L) end

   local before = self.params.L
   local _, history = optim.FistaLS(smooth, sparse, nearer, self.code, self.params)
   if before == self.params.L then self.params.L = math.max(least, before / 2) end
   return history[#history].F, history
end

-- unsup.FistaL1(D, cost, lambda[, params]): min over codes of cost(D(code), input) / 2 + lambda * sum |code|, D being
-- linear and the cost convex. updateOutput(input, code) begins at that code, and returns the cost and the history.
-- params are those of optim.FistaLS. Only D learns.
local Fista, parent = torch.class('unsup.FistaL1', 'unsup.UnsupModule')

function Fista:__init(reconstruction, cost, lambda, params)
   parent.__init(self)
   self.lambda = lambda
   self.D, self.Fcost, self.Gcost = reconstruction, cost, nn.L1Cost()
   self.code = torch.Tensor()
   self.params = settings(params)
   self:reset()
   self.gradInput = nil
end

function Fista:reset(stdv) self.D:reset(stdv) end
function Fista:parameters() return self.D:parameters() end

function Fista:initDiagHessianParameters()
   if not self.D.initDiagHessianParameters then fail('%s has no second derivatives', torch.type(self.D)) end
   self.D:initDiagHessianParameters()
end

function Fista:updateOutput(input, code)
   if code then self.code:resizeAs(code):copy(code) end
   return infer(self, input, 0.5, 0.1)
end

-- The gradient is 0: the code is already at the minimum.
function Fista:updateGradInput() return self.gradInput end

function Fista:accGradParameters(input)
   local gradient = self.Fcost:updateGradInput(self.D.output, input):mul(0.5)
   self.D:accGradParameters(self.code, gradient)
end

function Fista:updateDiagHessianInput() end

function Fista:accDiagHessianParameters(input)
   local second = self.Fcost:updateDiagHessianInput(self.D.output, input):mul(0.5)
   self.D:accDiagHessianParameters(self.code, second)
end

function Fista:zeroGradParameters() self.D:zeroGradParameters() end
function Fista:updateParameters(rate) self.D:updateParameters(rate) end
function Fista:normalize() unsup._normalize(self.D.weight) end

-- unsup.LinearFistaL1(inputSize, outputSize, lambda[, params]): min |D code - input|^2 + lambda * sum |code|, D being a
-- Linear without a bias (its bias stays 0). The code, of outputSize, begins at 0.
local Linear = torch.class('unsup.LinearFistaL1', 'unsup.UnsupModule')

function Linear:__init(inputSize, outputSize, lambda, params)
   parent.__init(self)
   self.lambda = lambda
   self.D, self.Fcost, self.Gcost = nn.Linear(outputSize, inputSize), unsup._squares(), nn.L1Cost()
   self.code = torch.Tensor(outputSize):zero()
   self.params = settings(params)
   self.gradInput = nil
   self:reset()
end

function Linear:reset(stdv)
   self.D:reset(stdv)
   self.D.bias:zero()
end

function Linear:parameters() return self.D:parameters() end
function Linear:initDiagHessianParameters() self.D:initDiagHessianParameters() end

function Linear:updateOutput(input)
   self.code:zero()
   return infer(self, input, 1, 0)
end

function Linear:updateGradInput() return self.gradInput end
function Linear:zeroGradParameters() self.D:zeroGradParameters() end

function Linear:accGradParameters(input)
   self.D:accGradParameters(self.code, self.Fcost:updateGradInput(self.D.output, input))
   self.D.gradBias:zero()
end

function Linear:updateDiagHessianInput() end

function Linear:accDiagHessianParameters(input)
   self.D:accDiagHessianParameters(self.code, self.Fcost:updateDiagHessianInput(self.D.output, input))
end

function Linear:updateParameters(rate)
   self.D:updateParameters(rate)
   self.D.bias:zero()
end

function Linear:normalize() unsup._normalize(self.D.weight) end

-- How many of the windows of k elements cover each of n.
local function covered(n, k)
   local counts = torch.Tensor(n)
   for i = 1, n do counts[i] = math.min(i, n - i + 1, k, n - k + 1) end
   return counts
end

-- unsup.SpatialConvFistaL1(conntable, kw, kh, iw, ih, lambda[, params]): unsup.FistaL1 with a SpatialFullConvolutionMap
-- from code planes to images of iw x ih; a pixel counts by how many windows cover it.
local Conv, fista = torch.class('unsup.SpatialConvFistaL1', 'unsup.FistaL1')

function Conv:__init(conntable, kw, kh, iw, ih, lambda, params)
   local planes, codes = conntable:select(2, 2):max(), conntable:select(2, 1):max()
   local weight = torch.ger(covered(ih, kh), covered(iw, kw))
   weight:div(weight:max())
   local cost = nn.WeightedMSECriterion(torch.repeatTensor(weight, planes, 1, 1))
   cost.sizeAverage = false
   fista.__init(self, nn.SpatialFullConvolutionMap(conntable, kw, kh, 1, 1), cost, lambda, params)
   self.code:resize(codes, ih - kh + 1, iw - kw + 1):zero()
end

-- unsup.PSD(encoder, decoder, beta[, params]): the decoder's cost + beta * |encoder(x) - code|^2; the decoder finds the
-- code from where the encoder says. (Kavukcuoglu, Ranzato, LeCun, 2008.)
local PSD = torch.class('unsup.PSD', 'unsup.UnsupModule')

function PSD:__init(encoder, decoder, beta, params)
   parent.__init(self)
   self.encoder, self.decoder, self.beta = encoder, decoder, beta
   self.predcost = unsup._squares()
   self.params = params or {}
   self:reset()
end

unsup._of_two_parts(PSD)

function PSD:updateOutput(input)
   local guess = self.encoder:updateOutput(input)
   local cost, history = self.decoder:updateOutput(input, guess)
   return cost + self.beta * self.predcost:updateOutput(guess, self.decoder.code), history
end

function PSD:updateGradInput(input)
   local gradient = self.predcost:updateGradInput(self.encoder.output, self.decoder.code):mul(self.beta)
   self.encoder:updateGradInput(input, gradient)
end

function PSD:accGradParameters(input)
   self.decoder:accGradParameters(input)
   self.encoder:accGradParameters(input, self.predcost.gradInput)
end

function PSD:updateDiagHessianInput(input)
   local second = self.predcost:updateDiagHessianInput(self.encoder.output, self.decoder.code):mul(self.beta)
   self.diagHessianInput = self.encoder:updateDiagHessianInput(input, second)
   return self.diagHessianInput
end

function PSD:accDiagHessianParameters(input)
   self.decoder:accDiagHessianParameters(input)
   self.encoder:accDiagHessianParameters(input, self.predcost.diagHessianInput)
end

function PSD:normalize() self.decoder:normalize() end

-- The layers behind a linear one that `encoderType` asks for.
local SHAPES = {
   linear = function(first) return first end,
   tanh = function(first, size) return nn.Sequential():add(first):add(nn.Tanh()):add(nn.Diag(size)) end,
   tanh_shrink = function(first, size) return nn.Sequential():add(first):add(nn.TanhShrink()):add(nn.Diag(size)) end,
}

local function encoder_of(params, first, size)
   params.encoderType = params.encoderType or 'linear'
   local shape = SHAPES[params.encoderType]
   if not shape then fail('unsup: there is no encoder %s', tostring(params.encoderType)) end
   return shape(first(), size)
end

-- unsup.LinearPSD(inputSize, outputSize, lambda, beta[, params]): params also has encoderType: linear, tanh, tanh_shrink.
local LinearPSD, psd = torch.class('unsup.LinearPSD', 'unsup.PSD')

function LinearPSD:__init(inputSize, outputSize, lambda, beta, params)
   local decoder = unsup.LinearFistaL1(inputSize, outputSize, lambda, params)
   params = params or {}
   local encoder = encoder_of(params, function() return nn.Linear(inputSize, outputSize) end, outputSize)
   psd.__init(self, encoder, decoder, beta, params)
end

-- unsup.ConvPSD(conntable, kw, kh, iw, ih, lambda, beta[, params]): conntable is the encoder's, the decoder's is turned.
local ConvPSD = torch.class('unsup.ConvPSD', 'unsup.PSD')

function ConvPSD:__init(conntable, kw, kh, iw, ih, lambda, beta, params)
   local turned = conntable:index(2, torch.LongTensor {2, 1})
   local decoder = unsup.SpatialConvFistaL1(turned, kw, kh, iw, ih, lambda, params)
   params = params or {}
   local function first() return nn.SpatialConvolutionMap(conntable, kw, kh, 1, 1) end
   psd.__init(self, encoder_of(params, first, conntable:select(2, 2):max()), decoder, beta, params)
end
