local dataset = {size = 3}
local function main(idx, preprocess)
   _G.dataset = {size = idx}
   _G.preprocess = preprocess
   local x = dataset.size
   return x, _G.dataset.size
end
local function use()
   return preprocess(_G.dataset.size)
end
print(main(7, function(v) return v * 2 end))
print(dataset.size, use(), _G.preprocess(1))
for dataset = 1, 2 do _G.dataset.size = _G.dataset.size + dataset end
print(_G.dataset.size)
