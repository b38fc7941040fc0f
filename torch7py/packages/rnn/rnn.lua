-- The functions of the rnn package over nested tables of tensors.
--
-- Arguments: core, host, the package's table, chunk.

local core, host, rnn, chunk = ...

local pairs = pairs
local nn = nn

rnn.version = 2.1

for name, f in pairs(chunk('torch7py.packages.torchx/nested_tensors.lua')(core)) do
   rnn[name] = f
   nn.AbstractRecurrent[name] = f
end
nn.rnn = rnn

-- rnn.test(tests, benchmark, exclude): the gradients of the package's layers.
function rnn.test(tests, _, exclude) return chunk('test.lua')(chunk)(tests, exclude) end

-- In 2015 dpnn left this global behind.
if host.setting('generation') == 2015 then rawset(_G, '_', require 'moses') end
