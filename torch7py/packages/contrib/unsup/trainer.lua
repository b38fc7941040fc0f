-- unsup.UnsupTrainer(module, data): stochastic gradient steps, scaled by second derivatives if asked for.
--
-- data[i] is {input, target}. trainer:train{eta=, maxiter=, etadecay=, statinterval=, etadecayinterval=, hessian=,
-- hessianinterval=, hessiansamples=, minhessian=, maxhessian=}. Functions in the fields hookSample(trainer, i, example,
-- results) and hookEpoch(trainer, number) are called after each step, and each statinterval.
--
-- Arguments: core {fail}, unsup.

local core, unsup = ...
local fail = core.fail
local torch, math = torch, math

local Trainer = torch.class 'unsup.UnsupTrainer'

function Trainer:__init(module, data)
   self.parameters = {module:getParameters()}
   if #self.parameters == 0 then fail('unsup.UnsupTrainer: %s has no parameters', torch.type(module)) end
   self.module, self.data = module, data
end

function Trainer:train(params)
   local eta, last = params.eta, params.maxiter
   local every = params.statinterval or math.ceil(last / 100)
   local decay, decay_every = params.etadecay or 0, params.etadecayinterval or every
   local hessian_every = params.hessianinterval or every
   if not params.hessian then self.parameters[3] = nil end

   local loss = 0
   for age = 1, last do
      if params.hessian and (age - 1) % hessian_every == 0 then
         params.di = age
         self:computeDiagHessian(params)
      end
      local example = self.data[age]
      local results = self:trainSample(example, eta)
      loss = loss + results[1]
      if self.hookSample then self.hookSample(self, age, example, results) end
      if age % every == 0 then
         if self.hookEpoch then self.hookEpoch(self, age / every) end
         print(('# iter= %s eta= %s current error= %s'):format(age, eta, loss))
         eta = params.eta / (1 + age / decay_every * decay)
         loss = 0
      end
   end
end

local function backward(self, input, target)
   self.parameters[2]:zero()
   self.module:updateGradInput(input, target)
   self.module:accGradParameters(input, target)
end

-- The second derivatives, as a running mean over examples from params.di on, held between two bounds.
function Trainer:computeDiagHessian(params)
   local samples, least = params.hessiansamples or 500, params.minhessian or 0.02
   local most, second = params.maxhessian or 1 / least, self.parameters[3]
   if not second then fail 'unsup.UnsupTrainer: there are no second derivatives without nn.hessian.enable()' end
   self.ddeltax = self.ddeltax or second.new():resizeAs(second)
   local mean = self.ddeltax:zero()
   for i = 1, samples do
      local input, target = self.data[params.di + i][1], self.data[params.di + i][2]
      self.module:updateOutput(input, target)
      backward(self, input, target)
      second:zero()
      self.module:updateDiagHessianInput(input, target)
      self.module:accDiagHessianParameters(input, target)
      if second:min() < 0 then fail 'unsup.UnsupTrainer: a second derivative is negative' end
      mean:add(1 / samples, second)
   end
   print(('Hessian: %s to %s, held to %s to %s'):format(mean:min(), mean:max(), least, most))
   second:copy(mean:clamp(least, most))
end

local function check(x, what)
   if torch.ne(x, x):sum() > 0 then fail('unsup.UnsupTrainer: %s have become nan', what) end
end

function Trainer:trainSample(example, eta)
   local x, dx, ddx = self.parameters[1], self.parameters[2], self.parameters[3]
   local results = {self.module:updateOutput(example[1], example[2])}
   backward(self, example[1], example[2])
   if dx:max() > 100 or dx:min() < -100 then print(('large gradients: %s to %s'):format(dx:min(), dx:max())) end
   check(dx, 'gradients')
   if ddx then x:addcdiv(-eta, dx, ddx) else x:add(-eta, dx) end
   check(x, 'parameters')
   self.module:normalize()
   check(x, 'normalized parameters')
   return results
end
