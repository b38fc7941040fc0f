-- image: the forms in which its functions are called, what is made of tensor operations, kernels and colour maps.
--
-- Most take an optional destination first, and return it.
--
-- Arguments: core {fail}, host, image.

local core, _, image = ...
local fail = core.fail
local torch, xlua = torch, xlua

local type, select, pairs, ipairs, tonumber, tostring = type, select, pairs, ipairs, tonumber, tostring
local floor, ceil, min, max, abs, exp, fmod = math.floor, math.ceil, math.min, math.max, math.abs, math.exp, math.fmod

local function take(name)
   local f = image[name]
   image[name] = nil
   return f
end

local scale, crop, translate, flip, rotate = take '_scale', take '_crop', take '_translate', take '_flip', take '_rotate'
local draw_rect, warp, gaussian = take '_draw_rect', take '_warp', take '_gaussian'
local rgb2y, change, colorize = take '_rgb2y', take '_change', take '_colorize'
local kind_of, read, decode, size_of, write, encode = take '_kind', take '_read', take '_decode', take '_size', take '_write', take '_encode'

local function check_tensor(x, name)
   if not torch.isTensor(x) then fail('image.%s: a tensor expected, got %s', name, torch.type(x)) end
   return x
end

local function check_image(x, name)
   check_tensor(x, name)
   if x:dim() ~= 2 and x:dim() ~= 3 then fail('image.%s: an image of 2 or 3 dimensions expected', name) end
   return x
end

-- The destination, if there is one, the source, and what follows: the second argument tells.
local function destination(name, ...)
   if torch.isTensor((select(2, ...))) then
      return check_tensor((...), name), select(2, ...)
   end
   return nil, check_tensor((...), name), select(2, ...)
end

---------------------------------------------------------------------------------------------------------
-- Files

local MODELS = {float = 'torch.FloatTensor', double = 'torch.DoubleTensor', byte = 'torch.ByteTensor'}

local function model(kind)
   if kind == nil then return torch.Tensor() end
   local name = MODELS[kind]
   if not name then fail("image: the type must be byte, float or double, not %s", tostring(kind)) end
   return torch.factory(name)():resize(0)
end

-- The image with 1 plane or 3.
local function with_depth(img, depth)
   if depth == 1 then
      if img:size(1) >= 3 then return image.rgb2y(img:narrow(1, 1, 3))[1] end
      return img:size(1) == 2 and img:narrow(1, 1, 1) or img
   elseif depth == 3 then
      local planes = img:size(1)
      if planes == 4 then return img:narrow(1, 1, 3) end
      if planes == 3 then return img end
      if planes ~= 1 then fail('image.load: an image of %d planes cannot have 3', planes) end
      return torch.repeatTensor(img, 3, 1, 1)
   end
   return img
end

local function check_bytes(bytes, name)
   if torch.typename(bytes) ~= 'torch.ByteTensor' then fail('image.%s: Input tensor must be a byte tensor', name) end
   return bytes
end

local function check_name(name, what)
   if type(name) ~= 'string' then fail('image.%s: missing file name', what) end
   return name
end

local function loader(name, kind)
   return function(filename, depth, type_name)
      return with_depth(read(model(type_name), check_name(filename, name), kind), depth)
   end
end

local function saver(name, kind, check)
   return function(filename, img)
      check_name(filename, name)
      check_tensor(img, name)
      if check then check(img) end
      write(img, filename, kind)
   end
end

local function decompressor(name, kind)
   return function(bytes, depth, type_name)
      return with_depth(decode(model(type_name), check_bytes(bytes, name), kind), depth)
   end
end

image.loadJPG, image.loadPNG, image.loadPPM = loader('loadJPG', 'jpg'), loader('loadPNG', 'png'), loader('loadPPM', 'ppm')
image.saveJPG, image.savePNG = saver('saveJPG', 'jpg'), saver('savePNG', 'png')
image.savePPM = saver('savePPM', 'ppm', function(img)
   if img:dim() ~= 3 or img:size(1) ~= 3 then fail('image.savePPM: can only save 3xHxW images as PPM') end
end)
image.savePGM = saver('savePGM', 'pgm', function(img)
   if img:dim() == 3 and img:size(1) ~= 1 then fail('image.savePGM: can only save 1xHxW or HxW images as PGM') end
end)
image.decompressJPG, image.decompressPNG = decompressor('decompressJPG', 'jpg'), decompressor('decompressPNG', 'png')
function image.compressJPG(img, quality) return encode(check_tensor(img, 'compressJPG'), 'jpg', quality) end
function image.compressPNG(img) return encode(check_tensor(img, 'compressPNG'), 'png') end
for name, kind in pairs {getJPGsize = 'jpg', getPNGsize = 'png', getPPMsize = 'ppm'} do
   image[name] = function(filename) return size_of(check_name(filename, name), kind) end
end

local filetypes = {
   jpg = {loader = image.loadJPG, saver = image.saveJPG, sizer = image.getJPGsize},
   png = {loader = image.loadPNG, saver = image.savePNG, sizer = image.getPNGsize},
   ppm = {loader = image.loadPPM, saver = image.savePPM, sizer = image.getPPMsize},
   pgm = {loader = image.loadPPM, saver = image.savePGM, sizer = image.getPPMsize},
}
filetypes.jpeg = filetypes.jpg
for _, name in ipairs {'jpg', 'jpeg', 'png', 'ppm', 'pgm'} do filetypes[name:upper()] = filetypes[name] end
image.supported_filetypes = filetypes

function image.is_supported(suffix) return filetypes[suffix] ~= nil end

-- The way to deal with a file: by how it begins, else by its name.
local function filetype(filename, what)
   local kind = kind_of(check_name(filename, what)) or filename:match('%.(%a+)$')
   if not kind then fail('image.%s: unable to determine image type for file: %s', what, filename) end
   return filetypes[kind] or fail('image.%s: unknown image type: %s', what, kind)
end

-- image.load(filename[, depth[, type]]): planes x height x width, from 0 to 1, bytes from 0 to 255.
function image.load(filename, depth, type_name) return filetype(filename, 'load').loader(filename, depth, type_name) end

function image.getSize(filename) return torch.LongTensor {filetype(filename, 'getSize').sizer(filename)} end

-- image.save(filename, img): as the name's ending says.
function image.save(filename, img)
   if not filename or not img then fail('image.save: missing file name | tensor to save') end
   local suffix = check_name(filename, 'save'):match('%.(%a+)$')
   local found = filetypes[suffix] or fail('image.save: unknown image type: %s', tostring(suffix))
   found.saver(filename, img)
end

-- image.decompress(bytes[, depth[, type]]): of a file's bytes, PNG or JPEG.
function image.decompress(bytes, depth, type_name)
   check_bytes(bytes, 'decompress')
   local n = bytes:nElement()
   local flat = bytes:contiguous():view(-1)
   if n >= 4 and flat[1] == 0xff and flat[2] == 0xd8 and flat[3] == 0xff then
      return image.decompressJPG(bytes, depth, type_name)
   elseif n >= 4 and flat[1] == 0x89 and flat[2] == 0x50 and flat[3] == 0x4e and flat[4] == 0x47 then
      return image.decompressPNG(bytes, depth, type_name)
   end
   fail('image.decompress: Input must be either jpg or png format')
end

---------------------------------------------------------------------------------------------------------
-- Geometry

local function sides(img) return img:size(img:dim() - 1), img:size(img:dim()) end

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

-- Width and height of what 'WxH', 'MAX', '^MIN', '*SC' and '*SCn/SCd' ask for.
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

-- image.convolve([dst,] src, kernel[, mode]): valid, full or same.
function image.convolve(...)
   local dst, src, kernel, mode
   if torch.isTensor((select(3, ...))) then dst, src, kernel, mode = ... else src, kernel, mode = ... end
   check_image(src, 'convolve')
   check_tensor(kernel, 'convolve')
   if mode and mode ~= 'valid' and mode ~= 'full' and mode ~= 'same' then
      fail('image.convolve: mode has to be one of: full | valid | same')
   end
   if kernel:dim() == 2 and src:dim() == 3 then kernel = torch.repeatTensor(kernel, src:size(1), 1, 1):typeAs(src) end
   local shape = (mode == 'full' or mode == 'same') and 'F' or 'V'
   if dst then torch.conv2(dst, src, kernel, shape) else dst = torch.conv2(src, kernel, shape) end
   if mode ~= 'same' then return dst end
   local kernel_h, kernel_w = sides(kernel)
   local h, w = sides(src)
   local last = dst:dim()
   return dst:narrow(last - 1, ceil(kernel_h / 2), h):narrow(last, ceil(kernel_w / 2), w)
end

---------------------------------------------------------------------------------------------------------
-- Ranges and grids

-- image.minmax{tensor=, min=, max=, symm=, inplace=, saturate=, tensorOut=}: from 0 to 1.
function image.minmax(args)
   if type(args) ~= 'table' then fail('image.minmax: arguments by name expected') end
   local tensor, low, high = check_tensor(args.tensor, 'minmax'), args.min, args.max
   local saturate = args.saturate and not (low == nil and high == nil)
   local out
   if args.tensorOut then
      out = args.tensorOut:resize(tensor:size()):copy(tensor)
   else
      out = args.inplace and tensor or torch.Tensor(tensor:size()):copy(tensor)
   end
   local reach = 0
   if low == nil then
      if args.symm then
         reach = max(abs(out:min()), abs(out:max()))
         low = -reach
      else
         low = out:min()
      end
   end
   if low ~= 0 then out:add(-low) end
   if high ~= nil then
      high = high - low
   elseif args.symm then
      high = reach * 2
   else
      high = out:max()
   end
   if high ~= 0 then out:div(high) end
   if saturate and torch.type(out) ~= 'torch.ByteTensor' then out:clamp(0, 1) end
   return out
end

-- image.toDisplayTensor(...): one image of many, in a grid.
function image.toDisplayTensor(...)
   local _, input, padding, per_row, scale_each, low, high, symm, saturate = xlua.unpack({...}, 'image.toDisplayTensor',
      'lays images out on a grid, as one tensor from 0 to 1',
      {arg = 'input', type = 'torch.Tensor | table', help = 'HxW, KxHxW, Kx3xHxW or a list of images', req = true},
      {arg = 'padding', type = 'number', help = 'pixels between images', default = 0},
      {arg = 'nrow', type = 'number', help = 'images in a row', default = 6},
      {arg = 'scaleeach', type = 'boolean', help = 'give each image its own range', default = false},
      {arg = 'min', type = 'number', help = 'lower end of the range'},
      {arg = 'max', type = 'number', help = 'upper end of the range'},
      {arg = 'symmetric', type = 'boolean', help = 'a range around 0', default = false},
      {arg = 'saturate', type = 'boolean', help = 'cut off what is outside the range', default = true})

   local packed
   if type(input) == 'table' then
      local h, w = sides(input[1])
      packed = torch.Tensor(#input, input[1]:dim() == 2 and 1 or input[1]:size(1), h, w)
      for i, img in ipairs(input) do packed[i]:copy(img) end
   elseif torch.isTensor(input) then
      packed = torch.Tensor(input:size()):copy(input)
   else
      fail('image.toDisplayTensor: an image or a list of images expected, not a %s', torch.type(input))
   end
   local function ranged(img)
      return image.minmax {tensor = img, inplace = true, min = low, max = high, symm = symm, saturate = saturate}
   end

   local dims = packed:dim()
   local colors = dims == 4 and (packed:size(2) == 3 or packed:size(2) == 1)
   local single = dims == 2 or dims == 3 and (packed:size(1) == 1 or packed:size(1) == 3)
   if single then return ranged(packed) end
   if not colors and dims ~= 3 then
      fail('image.toDisplayTensor: packed must be a HxW or KxHxW or Kx3xHxW tensor, or a list of tensors')
   end
   local count = packed:size(1)
   if scale_each then
      for i = 1, count do ranged(packed[i]) end
   end
   local columns = min(per_row, count)
   local rows = ceil(count / columns)
   local h, w = sides(packed)
   h, w = h + padding, w + padding
   local grid = colors and torch.Tensor(packed:size(2), h * rows, w * columns) or torch.Tensor(h * rows, w * columns)
   grid:fill(packed:max())
   local last = grid:dim()
   for k = 0, count - 1 do
      local y, x = floor(k / columns), k % columns
      grid:narrow(last - 1, floor(y * h + 1 + padding / 2), floor(h - padding))
          :narrow(last, floor(x * w + 1 + padding / 2), floor(w - padding)):copy(packed[k + 1])
   end
   return scale_each and grid or ranged(grid)
end

for _, name in ipairs {'display', 'window'} do
   image[name] = function() fail('image.%s is not supported: it draws with Qt (image.toDisplayTensor and image.save make a file)', name) end
end
for _, name in ipairs {'lena', 'fabio'} do
   image[name] = function() fail('image.%s is not supported: the photograph is not part of this project', name) end
end
for _, name in ipairs {'polar', 'logpolar'} do
   image[name] = function() fail('image.%s is not supported', name) end
end
function image.drawText() fail('image.drawText is not supported: the font is not part of this project') end

---------------------------------------------------------------------------------------------------------
-- Colours

local function three_planes(img, name)
   check_tensor(img, name)
   if img:dim() ~= 3 or img:size(1) < 3 then fail('image.%s: an image of 3 planes expected', name) end
   return img
end

local function converter(name, convert)
   image[name] = function(...)
      local dst, src = destination(name, ...)
      three_planes(src, name)
      dst = (dst or src.new()):resizeAs(src)
      convert(src, dst)
      return dst
   end
end

for _, name in ipairs {'rgb2hsl', 'hsl2rgb', 'rgb2hsv', 'hsv2rgb', 'rgb2lab', 'lab2rgb'} do
   converter(name, function(src, dst) change(src, dst, name) end)
end

converter('rgb2yuv', function(src, dst)
   local r, g, b = src[1], src[2], src[3]
   dst[1]:zero():add(0.299, r):add(0.587, g):add(0.114, b)
   dst[2]:zero():add(-0.14713, r):add(-0.28886, g):add(0.436, b)
   dst[3]:zero():add(0.615, r):add(-0.51499, g):add(-0.10001, b)
end)

converter('yuv2rgb', function(src, dst)
   local y, u, v = src[1], src[2], src[3]
   dst[1]:copy(y):add(1.13983, v)
   dst[2]:copy(y):add(-0.39465, u):add(-0.58060, v)
   dst[3]:copy(y):add(2.03211, u)
end)

converter('rgb2nrgb', function(src, dst)
   local sum = src[1]:clone():add(src[2]):add(src[3]):add(1e-6)
   dst:copy(src)
   for i = 1, 3 do dst[i]:cdiv(sum) end
end)

-- image.rgb2y([dst,] src): 1 x height x width.
function image.rgb2y(...)
   local dst, src = destination('rgb2y', ...)
   three_planes(src, 'rgb2y')
   dst = (dst or src.new()):resize(1, src:size(2), src:size(3))
   rgb2y(src, dst[1])
   return dst
end

-- image.y2jet([dst,] src): levels from 1 on as colours from blue to red.
function image.y2jet(...)
   local dst, src = destination('y2jet', ...)
   if src:dim() == 3 and src:size(1) == 1 then
      src = src[1]
   elseif src:dim() == 1 then
      src = src:view(1, src:size(1))
   end
   if src:dim() ~= 2 then fail('image.y2jet: a grey image expected') end
   local colors = image.jetColormap(src:max())
   if torch.type(src) == 'torch.ByteTensor' then colors:mul(255):round():clamp(0, 255) end
   colors = colors:typeAs(src)
   dst = (dst or src.new()):resize(3, src:size(1), src:size(2))
   if src:min() < 1 then fail('image.y2jet: levels are counted from 1') end
   colorize(dst, src - 1, colors)
   return dst
end

-- image.jetColormap(n): n x 3.
function image.jetColormap(n)
   local map = torch.Tensor(n, 3)
   for i = 1, n do
      local x = 4 * i / n
      for j = 1, 3 do map[i][j] = max(min(x + j - 2.5, -x + 5.5 - j, 1), 0) end
   end
   return map
end

-- image.colormap(n): n colours that differ well.
function image.colormap(n)
   local map = torch.Tensor(n, 3)
   for i = 1, n do
      local hue, saturation = fmod((i - 1) * 39, 360) / 60, fmod((i - 1) / 9, 0.7) + 0.3
      local second = saturation * (1 - abs(fmod(hue, 2) - 1))
      local base = 0.5 - saturation / 2
      local sector = floor(hue)
      local parts = {0, 0, 0}
      parts[({1, 2, 2, 3, 3, 1})[sector + 1]] = saturation
      parts[({2, 1, 3, 2, 1, 3})[sector + 1]] = second
      for j = 1, 3 do map[i][j] = parts[j] + base end
   end
   return map
end

-- image.drawRect(src, x1, y1, x2, y2[, {color=, lineWidth=, inplace=}])
function image.drawRect(src, x1, y1, x2, y2, options)
   options = options or {}
   if not (torch.isTensor(src) and src:dim() == 3 and src:size(1) == 3) then
      fail('image.drawRect: input image has to be a 3D tensor of shape 3 x H x W')
   end
   local out = options.inplace and src or src:clone()
   if not (x1 and y1 and x2 and y2) then return out end
   local color = options.color or {255, 0, 0}
   draw_rect(out, x1, y1, x2, y2, options.lineWidth or 1, color[1], color[2], color[3])
   return out
end

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
