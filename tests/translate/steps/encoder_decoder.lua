-- an encoder and a decoder, unrolled by hand; the gradient of the first state of the one is that of the last of the other
require 'nn'
require 'nngraph'
require 'optim'
torch.manualSeed(1)
local S, T, B, words, size = 4, 3, 2, 5, 6

local function step()
   local x, h = nn.Identity()(), nn.Identity()()
   local sum = nn.CAddTable()({nn.Linear(size, size)(x), nn.Linear(size, size)(h)})
   return nn.gModule({x, h}, {nn.Tanh()(sum)})
end

local function copies(net, count)
   local list = {}
   for i = 1, count do
      list[i] = net:clone('weight', 'bias', 'gradWeight', 'gradBias')
   end
   return list
end

local source, target = nn.LookupTable(words, size), nn.LookupTable(words, size)
local encoder, decoder = step(), step()
local out = nn.Sequential():add(nn.Linear(size, words)):add(nn.LogSoftMax())
local all = nn.Sequential():add(source):add(target):add(encoder):add(decoder):add(out)
local params, grads = all:getParameters()
local sources, targets = copies(source, S), copies(target, T)
local encoders, decoders = copies(encoder, S), copies(decoder, T)
local outs = copies(out, T)
local criterions = {}
for t = 1, T do criterions[t] = nn.ClassNLLCriterion() end

local from, to = torch.Tensor(S, B), torch.Tensor(T + 1, B)
for s = 1, S do for b = 1, B do from[s][b] = (s * b) % words + 1 end end
for t = 1, T + 1 do for b = 1, B do to[t][b] = (t + b) % words + 1 end end

local function feval(x)
   if x ~= params then params:copy(x) end
   grads:zero()
   local e, h = {}, {[0] = torch.zeros(B, size)}
   for s = 1, S do
      e[s] = sources[s]:forward(from[s])
      h[s] = encoders[s]:forward({e[s], h[s - 1]})
   end
   local d, g, p = {}, {[0] = h[S]}, {}
   local loss = 0
   for t = 1, T do
      d[t] = targets[t]:forward(to[t])
      g[t] = decoders[t]:forward({d[t], g[t - 1]})
      p[t] = outs[t]:forward(g[t])
      loss = loss + criterions[t]:forward(p[t], to[t + 1])
   end
   local dg = {[T] = torch.zeros(B, size)}
   for t = T, 1, -1 do
      local dp = criterions[t]:backward(p[t], to[t + 1])
      dg[t]:add(outs[t]:backward(g[t], dp))
      local dd
      dd, dg[t - 1] = unpack(decoders[t]:backward({d[t], g[t - 1]}, dg[t]))
      targets[t]:backward(to[t], dd)
   end
   local dh = {[S] = dg[0]}
   for s = S, 1, -1 do
      local de
      de, dh[s - 1] = unpack(encoders[s]:backward({e[s], h[s - 1]}, dh[s]))
      sources[s]:backward(from[s], de)
   end
   grads:clamp(-5, 5)
   return loss, grads
end

local state = {learningRate = 0.5}
for i = 1, 5 do
   local _, losses = optim.sgd(feval, params, state)
   print(i, losses[1], grads:norm())
end
