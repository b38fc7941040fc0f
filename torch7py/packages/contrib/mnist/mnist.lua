-- mnist: a table {data, label, size} of the images for training, and one of those for testing. Its entry i is
-- {x = image, y = label}, in the tensors' memory.
--
-- Arguments: core, host, mnist.

local core, _, mnist = ...
local fail, type, tostring, setmetatable = core.fail, type, tostring, setmetatable
local read = mnist._read
mnist._read = nil

local function dataset(which)
   return function()
      local data, label = read(which)
      local function entry(set, i)
         if type(i) ~= 'number' or i <= 0 or i > set.size then fail('mnist: there is no image %s', tostring(i)) end
         return {x = data[i], y = label[i]}
      end
      return setmetatable({data = data, label = label, size = data:size(1)}, {__index = entry})
   end
end

mnist.traindataset, mnist.testdataset = dataset 'train', dataset 't10k'
