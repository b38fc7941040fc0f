-- Runs a program as it is and notes its losses:
--
--    record.lua NOTES [key=value ...] -- PROGRAM [its own arguments]
--
-- NOTES gets a line `criterion CLASS LOSS` for each outermost forward of a criterion, `optim NAME LOSS` for each
-- outermost call of an optimizer, and at the end `seconds cpu SECONDS`, the processor's time of the program without
-- the loading of packages. Settings: seed and mseed (of torch.random and math.random), libs (packages that th
-- had loaded, by comma), stop and optstop (end after so many losses of that kind), gnuplot=none (nothing is drawn),
-- clock=1 (losses are noted only where it ends by their number: noting them takes time).
-- The record's sortpairs=1, a `pairs` that goes by numbers, then strings, is what `pairs` does here anyway.
local settings, first = {seed = 1, mseed = 1}, 2
while arg[first] ~= '--' do
   local key, value = arg[first]:match('^(%w+)=(.*)$')
   settings[key] = tonumber(value) or value
   first = first + 1
end
local notes = assert(io.open(arg[1], 'w'))
local program = {[0] = arg[first + 1]}
for i = first + 2, #arg do program[#program + 1] = arg[i] end
arg = program

local clock, started, loading = os.clock, os.clock(), 0
local function close_notes()
   notes:write(('seconds cpu %.6f\n'):format(clock() - started - loading))
   notes:close()
   io.stdout:flush()
end

local leave = os.exit
local function finish(...)
   close_notes()
   leave(...)
end
os.exit = finish

local function text_of(loss)
   if torch.isTensor(loss) then loss = loss:sum() end
   return type(loss) == 'number' and ('%.17g'):format(loss) or '-'
end

-- f, with a note of what `loss_of` finds in the results of each outermost call.
local function noting(kind, name_of, f, loss_of, limit)
   local depth, calls = 0, 0
   return function(...)
      depth = depth + 1
      local results = {pcall(f, ...)}
      depth = depth - 1
      if not results[1] then error(results[2], 0) end
      if depth == 0 then
         calls = calls + 1
         notes:write(kind, ' ', name_of(...), ' ', text_of(loss_of(unpack(results, 2))), '\n')
         if calls == limit then finish(0) end
      end
      return unpack(results, 2, 8)
   end
end

local optimizers = {}
for name in ('sgd asgd adam adamax adagrad adadelta rmsprop rprop nag lbfgs cg cmaes de'):gmatch('%w+') do
   optimizers[name] = true
end

local seen, require_of_torch7, in_package = {}, require, false

-- Whether it is a file of the program's.
local function is_own(name)
   local file = io.open(name:gsub('%.', '/') .. '.lua')
   if file then file:close() end
   return file ~= nil
end

function require(name)
   local before, of_package = clock(), not in_package and not is_own(name)
   in_package = in_package or of_package
   local results = {require_of_torch7(name)}
   if of_package then loading, in_package = loading + clock() - before, false end
   if package.loaded.nn and not seen.nn and (settings.stop or not settings.clock) then
      seen.nn = true
      nn.Criterion.forward = noting('criterion', torch.typename, nn.Criterion.forward, function(loss) return loss end,
                                    settings.stop)
   end
   if package.loaded.optim and not seen.optim and (settings.optstop or not settings.clock) then
      seen.optim = true
      for name in pairs(optimizers) do
         local function losses_of(_, losses) return type(losses) == 'table' and losses[1] or losses end
         optim[name] = noting('optim', function() return name end, optim[name], losses_of, settings.optstop)
      end
   end
   return unpack(results)
end

if settings.gnuplot == 'none' then
   gnuplot = setmetatable({}, {__index = function() return function() end end})
   package.loaded.gnuplot = gnuplot
end

torch.manualSeed(settings.seed)
math.randomseed(settings.mseed)
for name in (settings.libs or ''):gmatch('[^,]+') do
   local loaded = require(name)
   if type(loaded) == 'table' then _G[name] = loaded end
end
assert(loadfile(program[0]))(unpack(program))
close_notes()
