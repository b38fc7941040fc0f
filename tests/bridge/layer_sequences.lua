-- What the programs of test_layer_sequences.py begin with: `case` runs a sequence of calls on a layer and prints what
-- results, gradients and parameters come to.

require 'nn'

local function sums(t, out)
   if torch.isTensor(t) then
      local n, sum, size, dot = 0, 0, 0, 0
      if t:nElement() > 0 then
         local c = t:double():contiguous():view(-1)
         n = c:size(1)
         for i = 1, n do sum, size, dot = sum + c[i], size + math.abs(c[i]), dot + c[i] * i / n end
      end
      out[#out + 1] = ('%d:%.9g:%.9g:%.9g'):format(n, sum, size, dot)
   elseif type(t) == 'table' then
      out[#out + 1] = '{'
      for i = 1, #t do sums(t[i], out) end
      out[#out + 1] = '}'
   else
      out[#out + 1] = tostring(t)
   end
   return out
end

local label, m, x

local function put(tag, t) io.write(label, ' ', tag, ' ', table.concat(sums(t, {}), ' '), '\n') end

local function like(y)
   if torch.isTensor(y) then return torch.type(y) == 'torch.LongTensor' and y:clone() or torch.randn(y:size()):typeAs(y) end
   local made = {}
   for i = 1, #y do made[i] = like(y[i]) end
   return made
end

local function has_output()
   local y = m.output
   while type(y) == 'table' do y = y[1] end
   return torch.isTensor(y) and y:nElement() > 0
end

function R(...) return torch.randn(...) end
function U(...) return torch.rand(...) end
function P(...) return torch.rand(...):add(0.1) end
function I(n, ...) return torch.Tensor(...):random(1, n) end

local function parameters()
   local w, g = m:parameters()
   if w then
      put('parameters', w)
      put('gradients', g or {})
   end
end

local function forward(seed)
   torch.manualSeed(seed)
   local y = m:forward(x)
   put('output', y)
   return y
end

local calls = {}
function calls.train()
   m:zeroGradParameters()
   local y = forward(5)
   torch.manualSeed(6)
   put('gradInput', m:backward(x, like(y)))
   parameters()
end
function calls.accumulate()
   local y = forward(5)
   torch.manualSeed(7)
   put('gradInput', m:backward(x, like(y), 0.5))
   parameters()
end
function calls.forward() forward(8) end
function calls.again()
   if not has_output() then return end
   torch.manualSeed(9)
   put('gradInput', m:backward(x, like(m.output)))
   parameters()
end
function calls.half()
   if not has_output() then return end
   torch.manualSeed(9)
   put('gradInput', m:updateGradInput(x, like(m.output)))
end
function calls.clone() m = m:clone() end
function calls.share() m = m:clone('weight', 'bias') end
function calls.serialize() m = torch.deserialize(torch.serialize(m)) end
function calls.ascii() m = torch.deserialize(torch.serialize(m, 'ascii'), 'ascii') end
function calls.clear() m:clearState() end
function calls.types() m:float() m:double() end
function calls.evaluate() m:evaluate() end
function calls.training() m:training() end
function calls.update() m:updateParameters(0.1) parameters() end
function calls.zero() m:zeroGradParameters() end
function calls.flatten()
   local p, g = m:getParameters()
   put('flat', {p, g})
end
function calls.step()
   local y = forward(5)
   torch.manualSeed(6)
   put('gradInput', m:backwardUpdate(x, like(y), 0.1))
   parameters()
end
function calls.reset()
   torch.manualSeed(11)
   m:reset()
   m:zeroGradParameters()
   parameters()
end

function case(number, make, input, list)
   label = number .. ' making'
   torch.manualSeed(3)
   local ok, err = pcall(function()
      m = make()
      m:zeroGradParameters()
      torch.manualSeed(4)
      x = input()
   end)
   for i, name in ipairs(list) do
      if not ok then break end
      label = number .. ' ' .. i .. name
      ok, err = pcall(calls[name])
   end
   if not ok then io.write(label, ' error ', (tostring(err):gsub('\n.*', '')), '\n') end
end
