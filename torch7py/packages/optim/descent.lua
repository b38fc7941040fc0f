-- Gradient descent: sgd, Nesterov's nag, the averaging asgd.
--
-- Arguments: core {fail}, optim, steps.

local core, optim, steps = ...
local fail = core.fail
local start, evaluate, buffer, zeros = steps.start, steps.evaluate, steps.buffer, steps.zeros

local function copy(tensor) return tensor:clone() end

-- x, {f} = optim.sgd(opfunc, x[, config[, state]]): one step of stochastic gradient descent.
--
-- Settings: learningRate (1e-3), learningRateDecay (0: the rate is divided by 1 + decay * calls so far), momentum (0),
-- dampening (by default the momentum), nesterov, weightDecay (0) or a vector weightDecays, a vector learningRates that
-- multiplies the gradient. State: evalCounter, dfdx (the velocity; the first call sets it to the gradient, undamped).
-- Weight decay and Nesterov's momentum are added to the gradient tensor that opfunc returned.
function optim.sgd(opfunc, x, config, state)
   config, state = start('optim.sgd', opfunc, x, config, state)
   local rate, decay = config.learningRate or 1e-3, config.learningRateDecay or 0
   local weight_decay, weight_decays = config.weightDecay or 0, config.weightDecays
   local momentum, nesterov, rates = config.momentum or 0, config.nesterov, config.learningRates
   local dampening = config.dampening or momentum
   local calls = state.evalCounter or 0
   state.evalCounter = calls
   if nesterov and not (momentum > 0 and dampening == 0) then
      fail('optim.sgd: nesterov needs a momentum above 0 and dampening = 0')
   end
   local value, gradient = evaluate(opfunc, x)
   if weight_decay ~= 0 then
      gradient:add(weight_decay, x)
   elseif weight_decays then
      gradient:add(buffer(state, 'decayParameters', copy, gradient):copy(weight_decays):cmul(x))
   end
   if momentum ~= 0 then
      local velocity
      if state.dfdx == nil then
         velocity = buffer(state, 'dfdx', copy, gradient)
      else
         velocity = buffer(state, 'dfdx', copy, gradient)
         velocity:mul(momentum):add(1 - dampening, gradient)
      end
      gradient = nesterov and gradient:add(momentum, velocity) or velocity
   end
   local step = rate / (1 + calls * decay)
   if rates then gradient = buffer(state, 'deltaParameters', copy, gradient):copy(rates):cmul(gradient) end
   x:add(-step, gradient)
   state.evalCounter = state.evalCounter + 1
   return x, {value}
end

-- x, {f} = optim.nag(opfunc, x[, config[, state]]): Nesterov's accelerated gradient.
--
-- x first moves on by the momentum times the last movement, then the gradient is taken there. Settings as for sgd,
-- momentum 0.9 and above 0; the state's dfdx is the movement.
function optim.nag(opfunc, x, config, state)
   config, state = start('optim.nag', opfunc, x, config, state)
   local rate, decay, weight_decay = config.learningRate or 1e-3, config.learningRateDecay or 0, config.weightDecay or 0
   local momentum, rates = config.momentum or 0.9, config.learningRates
   local calls = state.evalCounter or 0
   state.evalCounter = calls
   if momentum <= 0 then fail('optim.nag: the momentum must be above 0') end
   local has_moved = state.dfdx ~= nil
   if has_moved then x:add(momentum, buffer(state, 'dfdx', zeros, x)) end
   local value, gradient = evaluate(opfunc, x)
   if weight_decay ~= 0 then gradient:add(weight_decay, x) end
   local step = rate / (1 + calls * decay)
   local movement = buffer(state, 'dfdx', zeros, gradient)
   if has_moved then movement:mul(momentum) end
   if rates then gradient = buffer(state, 'deltaParameters', copy, gradient):copy(rates):cmul(gradient) end
   x:add(-step, gradient)
   movement:add(-step, gradient)
   state.evalCounter = state.evalCounter + 1
   return x, {value}
end

-- x, {f}, average = optim.asgd(opfunc, x[, config[, state]]): descent that averages its points.
--
-- Settings, written back to config: eta0 (1e-4), lambda (1e-4), alpha (0.75), t0 (1e6, the step at which averaging
-- starts). x becomes (1 - lambda * eta_t) x - eta_t df/dx with eta_t = eta0 / (1 + lambda * eta0 * t)^alpha, and the
-- average moves to x by 1 / max(1, t - t0).
function optim.asgd(opfunc, x, config, state)
   config, state = start('optim.asgd', opfunc, x, config, state)
   config.eta0, config.lambda = config.eta0 or 1e-4, config.lambda or 1e-4
   config.alpha, config.t0 = config.alpha or 0.75, config.t0 or 1e6
   local first, shrink = config.eta0, config.lambda
   state.eta_t, state.mu_t, state.t = state.eta_t or first, state.mu_t or 1, state.t or 0
   local value, gradient = evaluate(opfunc, x)
   local eta, mu = state.eta_t, state.mu_t
   x:mul(1 - shrink * eta):add(-eta, gradient)
   -- They may be of another type, which x had before.
   local average = buffer(state, 'ax', zeros, x, true)
   local difference = buffer(state, 'tmp', copy, average, true)
   if mu == 1 then
      average:copy(x)
   else
      average:add(difference:copy(x):add(-1, average):mul(mu))
   end
   local t = state.t + 1
   state.t = t
   state.eta_t = first / math.pow(1 + shrink * first * t, config.alpha)
   state.mu_t = 1 / math.max(1, t - config.t0)
   return x, {value}, average
end
