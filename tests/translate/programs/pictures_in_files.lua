-- Pictures are saved and loaded, their colours and ranges change, and many of them make one.
require 'image'
torch.manualSeed(4)

local photo = torch.rand(3, 9, 12)
image.save('photo.png', photo)
image.save('grey.png', photo[1])
image.save('photo.jpg', photo * 1.2 - 0.1)
image.save('photo.ppm', photo:clone():mul(255):byte())
for _, name in ipairs {'photo.png', 'grey.png', 'photo.jpg', 'photo.ppm'} do
   local whole, three, one = image.load(name), image.load(name, 3), image.load(name, 1)
   print(name, whole:size(1), whole:mean(), three:size(1), three:std(), one:dim(), one:sum())
end
local bytes = image.load('photo.png', 3, 'byte')
print(bytes:double():sum(), image.load('photo.png', 3, 'double'):max())

-- a file that is written again, and read in between
for i = 1, 3 do
   image.save('again.png', photo / i)
   print(image.load('again.png'):mean())
end
os.remove('grey.png')

print(image.rgb2y(photo):size(1), image.rgb2y(photo):std(), image.rgb2y(bytes):double():sum())
local yuv = image.rgb2yuv(photo)
yuv[1]:fill(0.5)
print(yuv:std(), image.yuv2rgb(yuv):sum())

print(image.minmax {tensor = photo}:sum(), image.minmax {tensor = photo, min = 0.2, max = 0.7}:sum())
print(image.minmax {tensor = photo, min = 0.2, max = 0.7, saturate = true}:sum(), photo:sum())
print(image.minmax {tensor = photo - 0.7, symm = true}:sum(), image.minmax {tensor = photo:clone():zero()}:sum())

local many = torch.rand(7, 3, 4, 5)
local grid = image.toDisplayTensor(many, 2, 3)
print(grid:size(2), grid:size(3), grid:sum())
grid = image.toDisplayTensor {input = many, padding = 3, nrow = 4, scaleeach = true, min = 0.1, saturate = false}
print(grid:size(2), grid:size(3), grid:sum())
grid = image.toDisplayTensor({many[1], many[2]})
print(grid:size(2), grid:size(3), grid:sum(), image.toDisplayTensor(photo):sum())
print(image.toDisplayTensor(torch.rand(5, 3, 3), 1):size(1), many:sum())

local kernel = image.gaussian(3)
kernel[1][3] = 7
print(kernel:sum(), image.gaussian {size = 5, sigma = 0.3, normalize = true}[2][1])
print(image.gaussian {width = 3, height = 4, amplitude = 2}[4][1])
print(image.convolve(photo, kernel):sum(), image.convolve(photo, kernel, 'same')[2][3][4])
print(image.convolve(photo[1], kernel, 'full'):std(), image.convolve(photo, image.gaussian(4), 'same')[1][9][1])
