require 'torch'
local stringx = require 'pl.stringx'
local function shown(input)
   local img = input.img or input
   return img:sum()
end
print(shown(torch.ones(3)), shown({img = torch.ones(2)}))
local function words(line) return stringx.split(stringx.strip(line), ' ') end
local w = words('  a b c ')
print(#w, w[3])
local counts = {}
local function add(word, n) if n == 0 then table.insert(counts, word) else counts[word] = (counts[word] or 0) + 1 end end
add('a', 0) add('b', 1) add('b', 1) add('c', 0)
print(#counts, counts[1], counts.b, counts[2])
local ok = os.execute('true')
print(ok, os.execute('false'), ok == true)
