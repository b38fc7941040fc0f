-- image: kernels for convolutions, and the filters made of them.
--
-- Arguments: core {fail}, image, checks {take, check_tensor, check_image, sides}.

local core, image, checks = ...
local fail, take, check_tensor, check_image, sides =
   core.fail, checks.take, checks.check_tensor, checks.check_image, checks.sides
local gaussian = take '_gaussian'
local type, select, floor, exp = type, select, math.floor, math.exp
local torch, xlua = torch, xlua

---------------------------------------------------------------------------------------------------------
-- Kernels

local function argument(name, default, help, kind) return {arg = name, type = kind or 'number', help = help, default = default} end
local function same_as(name, other, help) return {arg = name, type = 'number', help = help, defaulta = other} end

local function kernel_arguments(sigma)
   return argument('size', 3, 'size of the kernel'), argument('sigma', sigma, 'spread, as a share of the size'),
      argument('amplitude', 1, 'largest value'), argument('normalize', false, 'make the sum 1', 'boolean'),
      same_as('width', 'size', 'width of the kernel'), same_as('height', 'size', 'height of the kernel'),
      same_as('sigma_horz', 'sigma', 'horizontal spread'), same_as('sigma_vert', 'sigma', 'vertical spread'),
      argument('mean_horz', 0.5, 'horizontal middle'), argument('mean_vert', 0.5, 'vertical middle'),
      {arg = 'tensor', type = 'torch.Tensor', help = 'where to write it, in place of width and height'}
end

-- image.gaussian{size=, sigma=, amplitude=, normalize=, ...}: a matrix.
function image.gaussian(...)
   local _, _, _, amplitude, normalize, width, height, sigma_x, sigma_y, mean_x, mean_y, tensor =
      xlua.unpack({...}, 'image.gaussian', 'a 2D gaussian kernel', kernel_arguments(0.25))
   if tensor and (tensor:dim() ~= 2 or tensor:nElement() == 0) then fail('image.gaussian: expecting non-empty 2D tensor') end
   tensor = tensor or torch.Tensor(height, width)
   gaussian(tensor, amplitude, normalize and true or false, sigma_x, sigma_y, mean_x, mean_y)
   return tensor
end

-- image.gaussian1D{size=, sigma=, amplitude=, normalize=, mean=, tensor=}: a vector.
function image.gaussian1D(...)
   local _, size, sigma, amplitude, normalize, mean, tensor = xlua.unpack({...}, 'image.gaussian1D', 'a 1D gaussian kernel',
      argument('size', 3, 'size of the kernel'), argument('sigma', 0.25, 'spread, as a share of the size'),
      argument('amplitude', 1, 'largest value'), argument('normalize', false, 'make the sum 1', 'boolean'),
      argument('mean', 0.5, 'middle'), {arg = 'tensor', type = 'torch.Tensor', help = 'where to write it, in place of size'})
   if tensor then
      if tensor:dim() ~= 1 or tensor:nElement() == 0 then fail('image.gaussian1D: expecting non-empty 1D tensor') end
      size = tensor:size(1)
   end
   tensor = tensor or torch.Tensor(size)
   local middle = mean * size + 0.5
   for i = 1, size do tensor[i] = amplitude * exp(-((i - middle) / (sigma * size)) ^ 2 / 2) end
   if normalize then tensor:div(tensor:sum()) end
   return tensor
end

-- image.laplacian{size=, sigma=, amplitude=, normalize=, ...}: a matrix.
function image.laplacian(...)
   local _, _, _, amplitude, normalize, width, height, sigma_x, sigma_y, mean_x, mean_y =
      xlua.unpack({...}, 'image.laplacian', 'a 2D laplacian kernel', kernel_arguments(0.1))
   local middle_x, middle_y = mean_x * width + 0.5, mean_y * height + 0.5
   local kernel = torch.Tensor(height, width)
   for i = 1, height do
      for j = 1, width do
         local x, y = ((i - middle_x) / (sigma_x * width)) ^ 2 / 2, ((j - middle_y) / (sigma_y * height)) ^ 2 / 2
         kernel[i][j] = (1 - (x + y)) * amplitude * exp(-(x + y))
      end
   end
   if normalize then kernel:div(kernel:sum()) end
   return kernel
end

-- image.gaussianpyramid([dst,] src, scales): a table of images.
function image.gaussianpyramid(...)
   local dst, src, scales
   if select('#', ...) >= 3 then dst, src, scales = ... else src, scales = ... end
   check_image(src, 'gaussianpyramid')
   if type(scales) == 'table' then scales = torch.Tensor(scales) end
   check_tensor(scales, 'gaussianpyramid')
   dst = dst or {}
   local kernel = image.gaussian {width = 3, normalize = true}:typeAs(src)
   local h, w = sides(src)
   local from = src
   for i = 1, scales:size(1) do
      local s = scales[i]
      dst[i] = dst[i] or src.new()
      if src:dim() == 3 then dst[i]:resize(src:size(1), h * s, w * s) else dst[i]:resize(h * s, w * s) end
      if s == 1 then dst[i]:copy(from) else image.scale(dst[i], from, 'simple') end
      from = image.convolve(dst[i], kernel, 'same')
   end
   return dst
end

---------------------------------------------------------------------------------------------------------
-- Filters

-- image.lcn(img[, kernel]): local contrast normalization of a grey image.
function image.lcn(img, kernel)
   kernel = kernel or image.gaussian {size = 9, sigma = 1.591 / 9, normalize = true}
   img = check_tensor(img, 'lcn'):clone():double()
   if img:dim() == 3 and img:size(1) == 1 then img = img[1] end
   if img:dim() ~= 2 then fail('image.lcn: grayscale image expected') end
   local deviation = img:std()
   img:add(-img:mean()):div(deviation)
   local mean = torch.conv2(img, kernel)
   local spread = torch.conv2(torch.cmul(img, img), kernel):add(-1, torch.cmul(mean, mean)):cmax(0):sqrt():cmax(1)
   local y, x = floor(kernel:size(1) / 2) + 1, floor(kernel:size(2) / 2) + 1
   return img:narrow(1, y, spread:size(1)):narrow(2, x, spread:size(2)):clone():add(-1, mean):cdiv(spread)
end

-- An image with a margin for a kernel, convolved with it.
local function with_margin(img, kernel, pad)
   local y, x = kernel:size(1) / 2 - 0.5, kernel:size(2) / 2 - 0.5
   local padded = torch.Tensor(img:size(1) + 2 * y, img:size(2) + 2 * x):fill(pad):typeAs(img)
   padded:narrow(1, y + 1, img:size(1)):narrow(2, x + 1, img:size(2)):copy(img)
   return padded:conv2(kernel)
end

-- image.erode(img[, kernel, pad]), image.dilate(img[, kernel, pad]): of images of 0 and 1.
function image.erode(img, kernel, pad)
   check_tensor(img, 'erode')
   kernel = kernel or torch.ones(3, 3):typeAs(img)
   return with_margin(img, kernel, pad or 1):eq(kernel:sum()):typeAs(img)
end

function image.dilate(img, kernel, pad)
   check_tensor(img, 'dilate')
   kernel = image.hflip(image.vflip(kernel or torch.ones(3, 3):typeAs(img)))
   return with_margin(img, kernel, pad or 0):gt(0):typeAs(img)
end
