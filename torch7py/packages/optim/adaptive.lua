-- Descent with a step size for each parameter: adam, adamax, adagrad, adadelta, rmsprop, rprop.
--
-- Arguments: optim, steps.

local optim, steps = ...
local start, setting, evaluate = steps.start, steps.setting, steps.evaluate
local buffer, zeros = steps.buffer, steps.zeros
local sqrt, unpack = math.sqrt, unpack

-- x, {f} = optim.adam(opfunc, x[, config[, state]]): https://arxiv.org/abs/1412.6980.
--
-- Settings: learningRate (1e-3), learningRateDecay (0), beta1 (0.9), beta2 (0.999), epsilon (1e-8), weightDecay (0, added
-- to the gradient). State: t, m, v, denom. Epsilon is added to the root of v before the bias is corrected, PyTorch's
-- after.
function optim.adam(opfunc, x, config, state)
   config, state = start('optim.adam', opfunc, x, config, state)
   local rate, beta1, beta2 = config.learningRate or 1e-3, config.beta1 or 0.9, config.beta2 or 0.999
   local epsilon, decay = config.epsilon or 1e-8, setting(config, 'optim.adam', 'learningRateDecay', 0)
   local weight_decay = setting(config, 'optim.adam', 'weightDecay', 0)
   local value, gradient = evaluate(opfunc, x)
   if weight_decay ~= 0 then gradient:add(weight_decay, x) end
   local t = state.t or 0
   local mean, square = buffer(state, 'm', zeros, gradient), buffer(state, 'v', zeros, gradient)
   local root = buffer(state, 'denom', zeros, gradient)
   local step = rate / (1 + t * decay)
   t = t + 1
   state.t = t
   mean:mul(beta1):add(1 - beta1, gradient)
   square:mul(beta2):addcmul(1 - beta2, gradient, gradient)
   root:copy(square):sqrt():add(epsilon)
   step = step * sqrt(1 - beta2 ^ t) / (1 - beta1 ^ t)
   x:addcdiv(-step, mean, root)
   return x, {value}
end

-- x, {f} = optim.adamax(opfunc, x[, config[, state]]): adam by the largest gradient, from the same paper.
--
-- Settings: learningRate (2e-3), beta1 (0.9), beta2 (0.999), epsilon (1e-38), weightDecay (0). State: t, m, u, max.
function optim.adamax(opfunc, x, config, state)
   config, state = start('optim.adamax', opfunc, x, config, state)
   local rate, beta1, beta2 = config.learningRate or 2e-3, config.beta1 or 0.9, config.beta2 or 0.999
   local epsilon, weight_decay = config.epsilon or 1e-38, setting(config, 'optim.adamax', 'weightDecay', 0)
   local value, gradient = evaluate(opfunc, x)
   if weight_decay ~= 0 then gradient:add(weight_decay, x) end
   local mean, largest = buffer(state, 'm', zeros, gradient), buffer(state, 'u', zeros, gradient)
   local pair = state.max
   if pair == nil then
      pair = gradient.new(2, unpack(gradient:size():totable())):zero()
      state.max = pair
   end
   local t = (state.t or 0) + 1
   state.t = t
   mean:mul(beta1):add(1 - beta1, gradient)
   pair:select(1, 1):copy(largest):mul(beta2)
   pair:select(1, 2):copy(gradient):abs():add(epsilon)
   largest:max(pair, 1)   -- as in the original, of one row
   x:addcdiv(-(rate / (1 - beta1 ^ t)), mean, largest)
   return x, {value}
end

-- x, {f} = optim.adagrad(opfunc, x[, config[, state]]): steps by the root of all squared gradients so far.
--
-- Settings: learningRate (1e-3), learningRateDecay (0), weightDecay (0). State: evalCounter, paramVariance, paramStd
-- (with 1e-10 added).
function optim.adagrad(opfunc, x, config, state)
   if config == nil and state == nil then print('no state table, ADAGRAD initializing') end
   config, state = start('optim.adagrad', opfunc, x, config, state)
   local rate, decay = config.learningRate or 1e-3, config.learningRateDecay or 0
   local weight_decay = setting(config, 'optim.adagrad', 'weightDecay', 0)
   local calls = state.evalCounter or 0
   state.evalCounter = calls
   local value, gradient = evaluate(opfunc, x)
   if weight_decay ~= 0 then gradient:add(weight_decay, x) end
   local variance, root = buffer(state, 'paramVariance', zeros, gradient), buffer(state, 'paramStd', zeros, gradient)
   variance:addcmul(1, gradient, gradient)
   root:copy(variance):sqrt():add(1e-10)
   x:addcdiv(-(rate / (1 + calls * decay)), gradient, root)
   state.evalCounter = state.evalCounter + 1
   return x, {value}
end

-- x, {f} = optim.adadelta(opfunc, x[, config[, state]]): https://arxiv.org/abs/1212.5701.
--
-- Settings: rho (0.9), eps (1e-6), weightDecay (0). State: evalCounter, paramVariance, paramStd, delta, accDelta.
function optim.adadelta(opfunc, x, config, state)
   if config == nil and state == nil then print('no state table, ADADELTA initializing') end
   config, state = start('optim.adadelta', opfunc, x, config, state)
   local rho, epsilon = config.rho or 0.9, config.eps or 1e-6
   local weight_decay = setting(config, 'optim.adadelta', 'weightDecay', 0)
   state.evalCounter = state.evalCounter or 0
   local value, gradient = evaluate(opfunc, x)
   if weight_decay ~= 0 then gradient:add(weight_decay, x) end
   local variance, root = buffer(state, 'paramVariance', zeros, gradient), buffer(state, 'paramStd', zeros, gradient)
   local delta, moved = buffer(state, 'delta', zeros, gradient), buffer(state, 'accDelta', zeros, gradient)
   variance:mul(rho):addcmul(1 - rho, gradient, gradient)
   root:copy(variance):add(epsilon):sqrt()
   delta:copy(moved):add(epsilon):sqrt():cdiv(root):cmul(gradient)
   x:add(-1, delta)
   moved:mul(rho):addcmul(1 - rho, delta, delta)
   state.evalCounter = state.evalCounter + 1
   return x, {value}
end

-- x, {f} = optim.rmsprop(opfunc, x[, config[, state]]): steps by the root of a running mean of squares.
--
-- Settings: learningRate (1e-2), alpha (0.99), epsilon (1e-8), weightDecay (0), initialMean (0, the mean before the
-- first call). State: m, tmp.
function optim.rmsprop(opfunc, x, config, state)
   config, state = start('optim.rmsprop', opfunc, x, config, state)
   local rate, alpha, epsilon = config.learningRate or 1e-2, config.alpha or 0.99, config.epsilon or 1e-8
   local weight_decay = setting(config, 'optim.rmsprop', 'weightDecay', 0)
   local initial = setting(config, 'optim.rmsprop', 'initialMean', 0)
   local value, gradient = evaluate(opfunc, x)
   if weight_decay ~= 0 then gradient:add(weight_decay, x) end
   local is_first = state.m == nil
   local mean, root = buffer(state, 'm', zeros, gradient), buffer(state, 'tmp', zeros, gradient)
   if is_first then mean:fill(initial) end
   mean:mul(alpha):addcmul(1 - alpha, gradient, gradient)
   root:copy(mean):sqrt():add(epsilon)
   x:addcdiv(-rate, gradient, root)
   return x, {value}
end

-- x, {f, ...} = optim.rprop(opfunc, x[, config[, state]]): steps that know the gradient's sign alone.
--
-- A parameter's step grows while the sign of its derivative stays and shrinks when it turns, in which case the
-- derivative counts as 0 (in opfunc's tensor too). Settings: stepsize (0.1, the first), etaplus (1.2), etaminus (0.5),
-- stepsizemax (50), stepsizemin (1e-6), niter (1, evaluations in one call). State: delta (the last derivative),
-- stepsize, and buffers. With one table for both, a second call finds its stepsize tensor where the setting was, as in
-- the original.
function optim.rprop(opfunc, x, config, state)
   if config == nil and state == nil then print('no state table RPROP initializing') end
   config, state = start('optim.rprop', opfunc, x, config, state)
   local first, grow, shrink = config.stepsize or 0.1, config.etaplus or 1.2, config.etaminus or 0.5
   local longest, shortest = config.stepsizemax or 50, config.stepsizemin or 1e-6
   local values = {}
   for i = 1, config.niter or 1 do
      local value, gradient = evaluate(opfunc, x)
      if state.delta == nil then
         state.delta, state.sign = zeros(gradient), zeros(gradient)
         state.stepsize = zeros(gradient):fill(first)
      end
      local last, size = buffer(state, 'delta', zeros, gradient), buffer(state, 'stepsize', zeros, gradient)
      local sign = buffer(state, 'sign', zeros, gradient)
      sign:copy(gradient):cmul(last):sign()
      state.psign, state.nsign, state.zsign = sign:gt(0), sign:lt(0), sign:eq(0)
      sign:maskedFill(state.psign, grow)
      sign:maskedFill(state.nsign, shrink)
      sign:maskedFill(state.zsign, 1)
      size:cmul(sign)
      size:maskedFill(size:gt(longest), longest)
      state.dminmax = size:lt(shortest)
      size:maskedFill(state.dminmax, shortest)
      gradient:maskedFill(state.nsign, 0)
      sign:copy(gradient):sign()
      x:addcmul(-1, sign, size)
      last:copy(gradient)
      values[i] = value
   end
   return x, values
end
