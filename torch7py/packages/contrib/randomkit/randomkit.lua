-- randomkit: torch's functions on the random stream act on its stream too.
--
-- Arguments: core, host, randomkit.

local _, _, randomkit = ...
local torch, type, select = torch, type, select

local function take(name)
   local f = randomkit[name]
   randomkit[name] = nil
   return f
end

local seed_stream, save_state, set_state = take '_seed', take '_state', take '_set_state'
local manual, seed, get, set = torch.manualSeed, torch.seed, torch.getRNGState, torch.setRNGState
local length = get():nElement()      -- the length of torch's state; the stream's state follows it

function torch.manualSeed(first, ...)
   if type(first) == 'number' then seed_stream(first) end
   return manual(first, ...)
end

function torch.seed(...)
   local drawn = seed(...)
   if select('#', ...) == 0 then seed_stream(drawn % 2 ^ 32) end
   return drawn
end

function torch.getRNGState(...)
   local state = get(...)
   return select('#', ...) == 0 and torch.cat(state, save_state()) or state
end

function torch.setRNGState(...)
   local state = select(select('#', ...), ...)
   if select('#', ...) > 1 or not torch.isTensor(state) or state:nElement() <= length then return set(...) end
   set(state:narrow(1, 1, length))
   set_state(state:narrow(1, length + 1, state:nElement() - length))
end
