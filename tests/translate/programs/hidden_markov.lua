-- A hidden Markov model: forward algorithm, Viterbi, and sampling
require 'torch'
torch.manualSeed(5)

local states = {'sunny', 'rainy', 'foggy'}
local symbols = {walk = 1, shop = 2, clean = 3}
local names = {}
for name, i in pairs(symbols) do names[i] = name end

local start = torch.Tensor{0.5, 0.3, 0.2}
local trans = torch.Tensor{{0.7, 0.2, 0.1}, {0.3, 0.5, 0.2}, {0.2, 0.3, 0.5}}
local emit = torch.Tensor{{0.6, 0.3, 0.1}, {0.1, 0.3, 0.6}, {0.3, 0.4, 0.3}}

local function sample(length)
   local hidden, seen = {}, {}
   local state = torch.multinomial(start, 1)[1]
   for t = 1, length do
      hidden[#hidden + 1] = state
      table.insert(seen, torch.multinomial(emit[state], 1)[1])
      state = torch.multinomial(trans[state], 1)[1]
   end
   return hidden, seen
end

local function forward(seen)
   local alpha = torch.cmul(start, emit:select(2, seen[1]))
   local logp = 0
   for t = 1, #seen do
      if t > 1 then
         alpha = torch.cmul(trans:t() * alpha, emit[{{}, seen[t]}])
      end
      local z = alpha:sum()
      logp = logp + math.log(z)
      alpha:div(z)
   end
   return logp, alpha
end

local function viterbi(seen)
   local n, T = #states, #seen
   local score = torch.Tensor(T, n):fill(-math.huge)
   local back = torch.LongTensor(T, n):zero()
   score[1] = torch.log(start) + torch.log(emit:select(2, seen[1]))
   for t = 2, T do
      for j = 1, n do
         local candidates = score[t - 1] + torch.log(trans[{{}, j}])
         local best, arg = candidates:max(1)
         score[t][j] = best[1] + math.log(emit[j][seen[t]])
         back[t][j] = arg[1]
      end
   end
   local path = {}
   local best, last = score[T]:max(1)
   path[T] = last[1]
   for t = T, 2, -1 do
      path[t - 1] = back[t][path[t]]
   end
   return path, best[1]
end

local hidden, seen = sample(15)
local words = {}
for i, s in ipairs(seen) do words[i] = names[s] end
print(table.concat(words, ' '))
local logp, posterior = forward(seen)
print(string.format('log p = %.8f', logp))
print(posterior)
local path, score = viterbi(seen)
local right = 0
for t, s in ipairs(path) do
   if s == hidden[t] then right = right + 1 end
   io.write(states[s]:sub(1, 1), t < #path and '-' or '\n')
end
print(string.format('%d of %d states found, score %.6f', right, #hidden, score))
