-- mnist: a table {data, label, size} of the images for training, and one of those for testing.
--
-- Arguments: core, host, mnist.

local _, _, mnist = ...
local read = mnist._read
mnist._read = nil

local function dataset(which)
   return function()
      local data, label = read(which)
      return {data = data, label = label, size = data:size(1)}
   end
end

mnist.traindataset, mnist.testdataset = dataset 'train', dataset 't10k'
