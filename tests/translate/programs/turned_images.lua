-- Images that are turned, and scaled in a mode that the program computes
require 'image'
torch.manualSeed(1)
local img = torch.rand(3, 8, 9)
for _, mode in ipairs{'simple', 'bilinear', 'bicubic'} do print(mode, ('%.6f'):format(image.scale(img, 4, 5, mode):mean())) end
for _, angle in ipairs{0.3, -1.2, 3, 0} do
   print(angle, image.rotate(img, angle):sum(), image.rotate(img, angle, 'bilinear'):sum(), image.rotate(img[1], angle)[4][5])
end
