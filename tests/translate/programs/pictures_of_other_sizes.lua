-- Parts at places that are not whole, and sizes of which one side is said, in every mode.
require 'image'
torch.manualSeed(5)

local photo = torch.rand(3, 9, 12)
local tall = photo:transpose(2, 3):contiguous()

local function part(x, share)
   local side = x:size(2) * share
   return image.crop(x, 1.7, 2.2, 1.7 + side, 2.2 + side)
end
for _, share in ipairs {0.5, 0.61} do
   local cut = part(photo, share)
   print(cut:size(2), cut:size(3), cut:sum())
   cut:zero()
end
print(photo:sum())

for _, x in ipairs {photo, tall} do
   for _, size in ipairs {6, 7.5, 20} do
      local scaled = image.scale(x, size)
      print(scaled:size(2), scaled:size(3), scaled:sum())
   end
   print(image.scale(x, '^6'):size(3), image.scale(x, '^6'):sum(), image.scale(x, '5x7'):sum())
   print(image.scale(x, 4, 'simple'):sum(), image.scale(x, 20, 5, 'simple'):sum(), image.scale(x, 31, 17, 'simple'):sum())
   print(image.scale(x, 20, 5, 'bicubic'):sum(), image.scale(x, 5, 20, 'bicubic'):std(), image.scale(x, '12', 'bicubic'):std())
end
print(image.scale(photo[2], 3, 30, 'bicubic'):std(), image.scale(photo[2], 8):dim())

-- what comes out is a new image, also of the same size, and its numbers lie one after the other
local same = {image.scale(photo, 12, 9), image.scale(photo, 12, 9, 'simple'), image.scale(photo, 12, 9, 'bicubic')}
for _, copy in ipairs(same) do
   copy:zero()
   print(photo:sum())
end
print(image.scale(photo, 7, 5):view(15, 7):select(1, 4):sum(), image.scale(photo, 7, 5, 'bicubic'):view(105)[30])
