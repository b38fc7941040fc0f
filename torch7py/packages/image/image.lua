-- image: the overloads of its functions. This file has the geometric transforms; files, display, colours and kernels
-- are in other files.
--
-- Most take an optional destination first, and return it.
--
-- Arguments: core {fail}, host, image, chunk.

local core, _, image, chunk = ...
local fail = core.fail
local torch = torch

local type, select, pairs, ipairs, tonumber = type, select, pairs, ipairs, tonumber
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max

-- A function of Python, no longer visible to scripts.
local function take(name)
   local f = image[name]
   image[name] = nil
   return f
end

local scale, crop, translate, flip, rotate = take '_scale', take '_crop', take '_translate', take '_flip', take '_rotate'
local warp = take '_warp'

local function check_tensor(x, name)
   if not torch.isTensor(x) then fail('image.%s: a tensor expected, got %s', name, torch.type(x)) end
   return x
end

local function check_image(x, name)
   check_tensor(x, name)
   if x:dim() ~= 2 and x:dim() ~= 3 then fail('image.%s: an image of 2 or 3 dimensions expected', name) end
   return x
end

-- The optional destination, the source, and the other arguments, told apart by the second argument.
local function destination(name, ...)
   if torch.isTensor((select(2, ...))) then
      return check_tensor((...), name), select(2, ...)
   end
   return nil, check_tensor((...), name), select(2, ...)
end

-- Height and width.
local function sides(img) return img:size(img:dim() - 1), img:size(img:dim()) end

local checks = {
   take = take, check_tensor = check_tensor, check_image = check_image, destination = destination, sides = sides,
}
for _, name in ipairs {'files', 'display', 'colours', 'kernels'} do
   chunk(name .. '.lua')(core, image, checks)
end

local CORNERS = {c = {0.5, 0.5}, tl = {0, 0}, tr = {1, 0}, bl = {0, 1}, br = {1, 1}}

-- image.crop([dst,] src, x1, y1[, x2, y2]) and image.crop([dst,] src, format, width, height)
function image.crop(...)
   local n = select('#', ...)
   local dst, src, x1, y1, x2, y2
   local has_dst = torch.isTensor((select(2, ...))) or ((...) == nil and n > 1)
   if has_dst then dst, src, x1, y1, x2, y2 = ... else src, x1, y1, x2, y2 = ... end
   check_image(src, 'crop')
   if type(x1) == 'string' then
      local corner, width, height = CORNERS[x1], y1, x2
      if not corner then fail('crop format must be "c"|"tl"|"tr"|"bl"|"br"') end
      if type(width) ~= 'number' or type(height) ~= 'number' then fail('image.crop: incorrect arguments') end
      local h, w = sides(src)
      x1, y1 = floor((w - width) * corner[1]), floor((h - height) * corner[2])
      x2, y2 = x1 + width, y1 + height
   end
   if type(x1) ~= 'number' or type(y1) ~= 'number' then fail('image.crop: incorrect arguments') end
   if x2 == nil then
      if not dst then fail('image.crop: a destination or an end expected') end
      crop(src, dst, x1, y1)
      return
   end
   if type(x2) ~= 'number' or type(y2) ~= 'number' then fail('image.crop: incorrect arguments') end
   local height, width = y2 - y1, x2 - x1
   if height < 1 or width < 1 then fail('image.crop: a part of %g x %g pixels', width, height) end
   local part = src:dim() == 3 and src.new(src:size(1), height, width) or src.new(height, width)
   crop(src, part, x1, y1)
   if not dst then return part end
   image.scale(dst, part)
   return dst
end

-- image.translate([dst,] src, x, y): to the right and down.
function image.translate(...)
   local dst, src, x, y = destination('translate', ...)
   if type(x) ~= 'number' or type(y) ~= 'number' then fail('image.translate: incorrect arguments') end
   check_image(src, 'translate')
   if dst == src then fail('image.translate: the destination is the source') end
   dst = (dst or src.new()):resizeAs(src):zero()
   translate(src, dst, x, y)
   return dst
end

-- Width and height for a size given as 'WxH', 'MAX', '^MIN', '*SC' or '*SCn/SCd'.
local function sized(src, size)
   local h, w = sides(src)
   local longest = tonumber(size)
   if longest then
      local most = max(h, w)
      return w * longest / most, h * longest / most
   end
   local width, height = size:match('(%d+)x(%d+)')
   if width then return tonumber(width), tonumber(height) end
   local shortest = tonumber(size:match('%^(%d+)'))
   if shortest then
      local least = min(h, w)
      return w * shortest / least, h * shortest / least
   end
   local over, under = size:match('%*(%d+)%/(%d+)')
   if over then return w * over / under, h * over / under end
   local factor = tonumber(size:match('%*(.+)'))
   if factor then return w * factor, h * factor end
   fail('image.scale: could not find valid dest size')
end

local SCALES = {simple = true, bilinear = true, bicubic = true}

-- image.scale(src, width, height[, mode]), image.scale(src, size[, mode]), image.scale(dst, src[, mode])
function image.scale(...)
   local first, second, third, fourth = ...
   check_tensor(first, 'scale')
   local dst, src, width, height, mode
   if torch.isTensor(second) then
      dst, src, mode = first, second, third
   elseif type(second) == 'string' or type(second) == 'number' and type(third) ~= 'number' then
      src, mode = first, third
      width, height = sized(check_image(src, 'scale'), second)
   elseif type(second) == 'number' then
      src, width, height, mode = first, second, third, fourth
   else
      fail('image.scale: incorrect arguments')
   end
   check_image(src, 'scale')
   if not dst then
      width, height = floor(max(width, 1)), floor(max(height, 1))
      dst = src:dim() == 3 and src.new(src:size(1), height, width) or src.new(height, width)
   end
   mode = mode or 'bilinear'
   if not SCALES[mode] then fail('image.scale: mode must be one of: simple | bicubic | bilinear') end
   scale(src, dst, mode)
   return dst
end

-- image.rotate([dst,] src, theta[, mode]): by radians, simple or bilinear.
function image.rotate(...)
   local dst, src, theta, mode = destination('rotate', ...)
   if type(theta) ~= 'number' then fail('image.rotate: incorrect arguments') end
   mode = mode or 'simple'
   if mode ~= 'simple' and mode ~= 'bilinear' then fail('image.rotate: mode must be one of: simple | bilinear') end
   dst = (dst or src.new()):resizeAs(check_image(src, 'rotate'))
   rotate(src, dst, theta, mode)
   return dst
end

-- image.hflip([dst,] src), image.vflip([dst,] src)
for name, dimension in pairs {hflip = 3, vflip = 2} do
   image[name] = function(...)
      local dst, src = destination(name, ...)
      check_image(src, name)
      if src:dim() == 2 and not src:isContiguous() then fail('image.%s: 2D input tensor is not contiguous', name) end
      dst = (dst or src.new()):resizeAs(src)
      if not dst:isContiguous() then fail('image.%s: destination tensor is not contiguous', name) end
      flip(src, dst, dimension - (3 - src:dim()))
      return dst
   end
end

-- image.flip([dst,] src, dimension)
function image.flip(...)
   local dst, src, dimension = destination('flip', ...)
   if src:dim() > 5 then fail('too many input dims (up to 5D supported)') end
   if type(dimension) ~= 'number' or dimension < 1 or dimension > src:dim() then fail('Bad flip dimension') end
   if not src:isContiguous() then fail('image.flip: input tensor is not contiguous') end
   dst = (dst or src.new()):resizeAs(src)
   if not dst:isContiguous() then fail('image.flip: destination tensor is not contiguous') end
   flip(src, dst, dimension)
   return dst
end

local WARPS = {simple = true, bilinear = true, bicubic = true, lanczos = true}

-- The arguments that warp and affinetransform have in common: [dst,] src, x[, mode, y, clamp_mode, pad_value].
local function warp_arguments(name, default, ...)
   local dst, src, by, mode, other, clamp, value
   if torch.isTensor((select(3, ...))) then dst, src, by, mode, other, clamp, value = ...
   else src, by, mode, other, clamp, value = ... end
   check_image(src, name)
   check_tensor(by, name)
   mode, clamp = mode or 'bilinear', clamp or 'clamp'
   if other == nil then other = default end
   if not WARPS[mode] then
      fail('image.%s: Incorrect arguments (mode is not lanczos | bicubic | bilinear | simple)!', name)
   end
   if clamp ~= 'clamp' and clamp ~= 'pad' then
      fail('image.%s: Incorrect arguments (clamp_mode is not clamp | pad)!', name)
   end
   if value ~= nil and clamp ~= 'pad' then fail('pad_value can only be specified if clamp_mode = "pad"') end
   return dst, src, by, mode, other, clamp == 'pad', value or 0
end

local function warped(dst, src, field, mode, offset, pad, value)
   local flat = src:dim() == 2
   if flat then src = src:reshape(1, src:size(1), src:size(2)) end
   dst = (dst or src.new()):resize(src:size(1), field:size(2), field:size(3))
   warp(dst, src, field, mode, offset and true or false, pad, value)
   return flat and dst[1] or dst
end

-- image.warp([dst,] src, field[, mode, offset, clamp_mode, pad_value]): by a field of (y, x).
function image.warp(...)
   local dst, src, field, mode, offset, pad, value = warp_arguments('warp', true, ...)
   if field:dim() ~= 3 then fail('image.warp: a flow field of 2 x height x width expected') end
   return warped(dst, src, field, mode, offset, pad, value)
end

-- image.affinetransform([dst,] src, matrix[, mode, translation, clamp_mode, pad_value])
function image.affinetransform(...)
   local dst, src, matrix, mode, shift, pad, value = warp_arguments('affinetransform', torch.Tensor {0, 0}, ...)
   local h, w = sides(src)
   local grid = torch.Tensor(2, h, w)
   grid[1] = torch.ger(torch.linspace(-1, 1, h), torch.ones(w)) * -((h - 1) / 2)
   grid[2] = torch.ger(torch.ones(h), torch.linspace(-1, 1, w)) * -((w - 1) / 2)
   local field = grid - torch.mm(matrix:typeAs(grid), grid:view(2, h * w)):view(2, h, w)
   shift = torch.Tensor(shift)
   field[1]:add(-shift[1])
   field[2]:add(-shift[2])
   return warped(dst, src, field, mode, true, pad, value)
end

local CONVOLVED = {valid = true, full = true, same = true}

-- image.convolve([dst,] src, kernel[, mode]): valid, full or same.
function image.convolve(...)
   local dst, src, kernel, mode
   if torch.isTensor((select(3, ...))) then dst, src, kernel, mode = ... else src, kernel, mode = ... end
   check_image(src, 'convolve')
   check_tensor(kernel, 'convolve')
   if mode and not CONVOLVED[mode] then fail('image.convolve: mode has to be one of: full | valid | same') end
   if kernel:dim() == 2 and src:dim() == 3 then kernel = torch.repeatTensor(kernel, src:size(1), 1, 1):typeAs(src) end
   local shape = (mode == 'full' or mode == 'same') and 'F' or 'V'
   if dst then torch.conv2(dst, src, kernel, shape) else dst = torch.conv2(src, kernel, shape) end
   if mode ~= 'same' then return dst end
   local kernel_h, kernel_w = sides(kernel)
   local h, w = sides(src)
   local last = dst:dim()
   return dst:narrow(last - 1, ceil(kernel_h / 2), h):narrow(last, ceil(kernel_w / 2), w)
end
