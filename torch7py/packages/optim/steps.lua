-- What the optimizers written in Lua share: their arguments, their state and the function that they minimize.
--
-- Every optimizer is called as `x, {f(x), ...} = optim.name(opfunc, x[, config[, state]])`. `opfunc(x)` returns f(x) and
-- df/dx. `config` holds the settings; `state`, by default the same table, holds what the optimizer keeps from call to
-- call. x is changed in place. Most programs have small vectors and call this many thousand times, so it stays in Lua.
--
-- Arguments: core {fail}, knows: whether the program's generation knew a setting of an optimizer.
-- Result: {start, setting, evaluate, zeros, buffer}.

local core, knows = ...
local fail = core.fail
local getmetatable, type = getmetatable, type
local isTensor = torch.isTensor

local steps = {}

local function is_table(value)
   local kind = type(value)
   return kind == 'table' or kind == 'userdata' or kind == 'cdata'
end

-- The two tables, where either may be left out.
function steps.start(name, opfunc, x, config, state)
   if opfunc == nil then fail("%s: argument #1 ('opfunc') is missing", name) end
   if x == nil then fail("%s: argument #2 ('x') is missing", name) end
   if not isTensor(x) then fail('optim: x must be a tensor, not a %s', type(x)) end
   if config == nil then config = {} end
   if state == nil then state = config end
   if not is_table(config) then fail('optim: settings and state are tables, not a %s', type(config)) end
   if not is_table(state) then fail('optim: settings and state are tables, not a %s', type(state)) end
   return config, state
end

-- A setting that came after October 2015, which an optimizer of that year disregards.
function steps.setting(config, optimizer, name, default)
   local value = config[name] or default
   if value ~= default and not knows(optimizer, name) then return default end
   return value
end

-- f(x) and df/dx. The gradient may be memory that the next call overwrites.
function steps.evaluate(opfunc, x)
   local value, gradient = opfunc(x)
   if not isTensor(gradient) then fail('optim: the function to minimize must return f(x) and the tensor df/dx') end
   if gradient:nElement() ~= x:nElement() then
      fail('optim: df/dx has %d elements, x has %d', gradient:nElement(), x:nElement())
   end
   if getmetatable(gradient) ~= getmetatable(x) then fail('optim: df/dx is a %s, x a %s', gradient:type(), x:type()) end
   return value, gradient
end

function steps.zeros(like) return like:clone():zero() end

-- The tensor that the state keeps under a name; without one, `make(like)`. It must fit the parameters, if not in its
-- type.
function steps.buffer(state, name, make, like, of_any_type)
   local buffer = state[name]
   if buffer == nil then
      buffer = make(like)
      state[name] = buffer
   elseif not isTensor(buffer) or not (of_any_type or getmetatable(buffer) == getmetatable(like))
         or buffer:nElement() ~= like:nElement() then
      fail("optim: the state's %s is not a %s of %d elements; it belongs to other parameters", name, like:type(),
           like:nElement())
   end
   return buffer
end

return steps
