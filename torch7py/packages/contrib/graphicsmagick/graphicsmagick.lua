-- graphicsmagick: images in files, in memory and as tensors.
--
-- Arguments: core {fail}, host, graphicsmagick, chunk. An image has `pixels`, an IntTensor of planes with values up to
-- 65535, and a file's metadata: `magick` (its format), `bits`, `space` (of colours), `exponent` (its gamma),
-- `profiles`.

local core, _, gm, chunk = ...
local fail = core.fail
local floor, pairs, tonumber, tostring, type = math.floor, pairs, tonumber, tostring, type
local torch = torch
local has_ffi, ffi = pcall(require, 'ffi')

local function take(name)
   local f = gm[name]
   gm[name] = nil
   return f
end

local read, decode, encode, write = take '_read', take '_decode', take '_encode', take '_write'
local resize, describe = take '_resize', take '_describe'
local to_tensor, from_tensor = take '_to_tensor', take '_from_tensor'
local to_space, with_profile, kind_of = take '_to_space', take '_with_profile', take '_kind'
local sharpen, unsharp, blur, gamma = take '_sharpen', take '_unsharp', take '_blur', take '_gamma'

local MOST = 65535

-- gm.Image(), gm.Image(path[, width[, height]]), gm.Image(tensor[, letters[, dims]])
local Image = torch.class('graphicsmagick.Image', gm)

function Image:__init(first, ...)
   self.path, self.profiles, self.background = '<>', {}, {1, 1, 1}
   if type(first) == 'string' then
      self:load(first, ...)
   elseif torch.isTensor(first) then
      self:fromTensor(first, ...)
   elseif first ~= nil and first ~= gm then      -- gm:Image() is an empty image too
      fail('graphicsmagick: the name of a file or a tensor expected, not a %s', torch.type(first))
   end
end

-- The pixels of an image; an error for an empty image.
local function pixels_of(self)
   return self.pixels or fail('graphicsmagick: the image is empty')
end

-- The same for functions that need red, green and blue.
local function colours_of(self)
   if pixels_of(self) and self.space == 'CMYK' then
      fail("graphicsmagick: not supported for CMYK colours; colorspace('RGB') converts them")
   end
   return self.pixels
end

local function numbers(name, ...)
   for i = 1, select('#', ...) do
      local value = select(i, ...)
      if type(value) ~= 'number' then
         fail('graphicsmagick: %s: a number expected as argument %d, not a %s', name, i, torch.type(value))
      end
   end
end

local function text(value, what)
   if type(value) ~= 'string' then fail('graphicsmagick: %s expected, not a %s', what, torch.type(value)) end
   return value
end

-- A colour of three shares, black where they are missing, as values of pixels.
local function colour(r, g, b)
   r, g, b = r or 0, g or 0, b or 0
   numbers('the colour', r, g, b)
   local values = {r, g, b}
   for i = 1, 3 do values[i] = floor(math.min(math.max(values[i], 0), 1) * MOST + 0.5) end
   return values
end

---------------------------------------------------------------------------------------------------------
-- files and memory

local function fill(self, path, pixels, magick, bits, space, exponent, icc, exif, iptc)
   self.pixels, self.path, self.magick, self.bits, self.space = pixels, path, magick, bits, space
   self.exponent, self.profiles = exponent, {icm = icc, exif = exif, iptc = iptc}
   return self
end

-- image:load(path[, width[, height]]): the size says how large it need be at least.
function Image:load(path, width, height)
   text(path, 'the name of a file')
   if width ~= nil then numbers('load', width, height or width) end
   return fill(self, path, read(path, width, height))
end

-- image:fromString(bytes), image:fromBlob(bytes or a pointer to them, size)
function Image:fromString(bytes)
   return fill(self, '<blob>', decode(text(bytes, 'a string')))
end

function Image:fromBlob(blob, size)
   if type(blob) == 'string' then return self:fromString(size and blob:sub(1, size) or blob) end
   if type(blob) ~= 'cdata' then fail('graphicsmagick: a blob expected, not a %s', torch.type(blob)) end
   numbers('fromBlob', size)
   return self:fromString(ffi.string(ffi.cast('const char *', blob), size))
end

-- The bytes of a file of the image.
local function encoded(self, format, quality)
   quality = quality or self.quality or 75
   numbers('quality', quality)
   local pixels, space = pixels_of(self), self.space
   if space ~= 'CMYK' then pixels, space = to_space(pixels, space, 'RGB'), 'RGB' end
   local factors = {}
   for i, factor in ipairs(self.sampling or {}) do factors[i] = tostring(factor) end
   local profiles = self.profiles
   return encode(pixels, format, self.bits, space, quality, table.concat(factors, ','), self.exponent,
                 self.scheme == 'Line' or self.scheme == 'Plane' or self.scheme == 'Partition',
                 profiles.icm, profiles.exif)
end

-- image:save(path[, quality]): in the format of the name's ending, or else in the image's format.
function Image:save(path, quality)
   text(path, 'the name of a file')
   quality = quality or 85
   local format, name = path:match('^(%a%w+):(.+)$')
   format = format or path:match('%.([%w]+)$') or self.magick
   if not format or format == 'XC' then fail('graphicsmagick: %s does not say what format it should have', path) end
   write(name or path, encoded(self, format, quality))
   self.quality = quality
   return self
end

-- image:toString([quality]): the bytes of a file of the image's format.
function Image:toString(quality)
   pixels_of(self)
   if self.magick == 'XC' then
      fail("graphicsmagick: the image has no format: call image:format('PNG'), or 'JPEG', before")
   end
   local bytes = encoded(self, self.magick, quality)
   self.quality = quality or self.quality
   return bytes
end

-- image:toBlob([quality]): the same as a pointer (a string where there is no FFI), and their number.
function Image:toBlob(quality)
   local bytes = self:toString(quality)
   if not has_ffi then return bytes, #bytes end
   local blob = ffi.new('unsigned char[?]', #bytes)
   ffi.copy(blob, bytes, #bytes)
   return blob, #bytes
end

function Image:clone()
   local copy = gm.Image()
   for name, value in pairs(self) do
      if torch.isTensor(value) then
         value = value:clone()
      elseif type(value) == 'table' then
         local inner = {}
         for k, v in pairs(value) do inner[k] = v end
         value = inner
      end
      copy[name] = value
   end
   return copy
end

-- image:toTensor([type[, letters[, dims]]]): bytes, or 'float' or 'double' up to 1; planes by letters ('RGB'), height,
-- width with 'DHW', else height, width, planes.
function Image:toTensor(kind, letters, dims)
   letters = text(letters or 'RGB', 'letters of colours')
   if letters == 'LAB' or letters == 'HSL' or letters == 'HWB' or letters == 'YUV' then
      self:colorspace(letters)
      letters = 'RGB'      -- the planes in which the values are
   end
   local values = to_tensor(pixels_of(self), text(kind or 'byte', 'a type'), letters, self.space)
   return dims == 'DHW' and values or values:permute(2, 3, 1):contiguous()
end

local TYPES = {['torch.ByteTensor'] = true, ['torch.FloatTensor'] = true, ['torch.DoubleTensor'] = true}
local LETTERS = {'I', nil, 'RGB', 'RGBA'}

-- image:fromTensor(tensor[, letters[, dims]])
function Image:fromTensor(tensor, letters, dims)
   if not torch.isTensor(tensor) then fail('graphicsmagick: a tensor expected, not a %s', torch.type(tensor)) end
   if not TYPES[tensor:type()] then fail('graphicsmagick: only float, double and byte tensors, not %s', tensor:type()) end
   if tensor:dim() ~= 3 then fail('graphicsmagick: a tensor of 3 dimensions expected, not of %d', tensor:dim()) end
   if dims ~= 'DHW' then tensor = tensor:permute(3, 1, 2) end
   local depth = tensor:size(1)
   letters = letters or LETTERS[depth]
   if type(letters) ~= 'string' or #letters ~= depth then
      fail("graphicsmagick: a tensor of %d planes, but %s letters of colours", depth, letters and #letters or 'no')
   end
   local pixels, space = from_tensor(tensor, letters)
   return fill(self, '<tensor>', pixels, 'XC', 16, space, 0)
end

---------------------------------------------------------------------------------------------------------
-- the properties of an image: without an argument each of these returns the value, with one it sets it and returns the
-- image

-- image:size(): width and height. image:size(width, height[, filter[, blur]]) resizes; of one of them the other
-- follows: image:size(n) fits into n x n, image:size(nil, n) covers that.
function Image:size(width, height, filter, blurred)
   local pixels = pixels_of(self)
   local w, h = pixels:size(3), pixels:size(2)
   if not width and not height then return w, h end
   local box = width or height
   numbers('size', box, height or box, blurred or 1)
   if not (width and height) then
      local across = w > h
      if not width then across = w < h end
      if across then
         width, height = box, box * h / w
      else
         width, height = box * w / h, box
      end
   end
   self.pixels = resize(colours_of(self), floor(width), floor(height), filter, blurred or 1)
   return self
end

function Image:depth(bits)
   pixels_of(self)
   if not bits then return self.bits end
   if bits ~= 8 and bits ~= 16 then fail('graphicsmagick: the depth is 8 or 16, not %s', tostring(bits)) end
   self.bits = bits
   return self
end

function Image:format(name)
   pixels_of(self)
   if not name then return self.magick end
   self.magick = text(name, 'a format'):upper()
   if self.magick == 'JPG' then self.magick = 'JPEG' end
   return self
end

local SPACES = {[0] = 'Undefined', 'RGB', 'GRAY', 'Transparent', 'OHTA', 'XYZ', 'YCC', 'YIQ', 'YPbPr', 'YUV', 'CMYK',
                'sRGB', 'HSL', 'HWB', 'LAB', 'CineonLogRGB', 'Rec601Luma', 'Rec601YCbCr', 'Rec709Luma', 'Rec709YCbCr'}

local CONVERTED = {RGB = true, sRGB = true, GRAY = true, CMYK = true, HSL = true, HWB = true, YUV = true}

function Image:colorspaces() return SPACES end

function Image:colorspace(name)
   pixels_of(self)
   if not name then return self.space end
   if not CONVERTED[name] then
      fail('graphicsmagick: the space of colours %s is not supported; there are RGB, sRGB, GRAY, CMYK, HSL, HWB and YUV',
           tostring(name))
   end
   self.pixels, self.space = to_space(self.pixels, self.space, name), name
   return self
end

-- image:type(): the simplest type that holds the colours. It can be set to: Grayscale, TrueColor, ColorSeparation, or
-- with Matte.
function Image:type(name)
   local pixels = pixels_of(self)
   if not name then return kind_of(pixels, self.space) end
   local base = tostring(name):gsub('Matte$', '')
   local space = ({Grayscale = 'GRAY', TrueColor = 'RGB', ColorSeparation = 'CMYK'})[base]
   if not space then fail('graphicsmagick: the type %s cannot be set', tostring(name)) end
   self:colorspace(space)
   local planes = space == 'CMYK' and 4 or 3
   if space == 'GRAY' then self.space = 'RGB' end      -- grey is kept in red, green and blue
   pixels = self.pixels
   if base == name then
      self.pixels = pixels:narrow(1, 1, planes):clone()
   elseif pixels:size(1) == planes then
      self.pixels = torch.cat(pixels, pixels:narrow(1, 1, 1):clone():fill(MOST), 1)
   end
   return self
end

function Image:interlace(name)
   name = name or 'Undefined'
   if not ({Undefined = 1, No = 1, Line = 1, Plane = 1, Partition = 1})[name] then
      fail('graphicsmagick: unknown interlace %s', tostring(name))
   end
   self.scheme = name
   return self
end

function Image:samplingFactors(factors)
   if factors then
      if type(factors) ~= 'table' then fail('graphicsmagick: a table of sampling factors expected') end
      numbers('samplingFactors', unpack(factors))
      self.sampling = {unpack(factors)}
      return self
   end
   return {unpack(self.sampling or {})}
end

function Image:gamma(value)
   pixels_of(self)
   if not value then return self.exponent end
   numbers('gamma', value)
   self.exponent = value
   return self
end

-- image:profile(name): its bytes, or nil. image:profile(name, bytes) sets it; an image that has a profile of colours is
-- converted into the new one.
function Image:profile(name, bytes)
   local pixels = pixels_of(self)
   name = text(name, 'the name of a profile'):lower()
   if name == 'icc' then name = 'icm' end
   local old = self.profiles[name]
   if bytes == nil then return old end
   text(bytes, 'a profile')
   if name == 'icm' and old and old ~= bytes then
      self.pixels, self.space = with_profile(pixels, self.space, old, bytes)
   end
   self.profiles[name] = bytes
   return self
end

function Image:removeProfile(name)
   name = name and name:lower() or '*'
   if name == 'icc' then name = 'icm' end
   if name == '*' then self.profiles = {} else self.profiles[name] = nil end
   return self
end

function Image:setBackground(r, g, b)
   numbers('setBackground', r or 0, g or 0, b or 0)
   self.background = {r or 0, g or 0, b or 0}
   return self
end

function Image:info()
   local w, h = self:size()
   return ('Image: %s\n  Format: %s\n  Geometry: %dx%d\n  Type: %s\n  Depth: %d bits\n  Colorspace: %s\n'):format(
      self.path, self.magick, w, h, self:type(), self.bits, self.space)
end

---------------------------------------------------------------------------------------------------------
-- parts and turns

-- image:crop(width, height, x, y): a part, from x and y on (0). Cut off at the image's end.
function Image:crop(width, height, x, y)
   local w, h = self:size()
   x, y = x or 0, y or 0
   numbers('crop', width, height, x, y)
   x, y = floor(x), floor(y)
   width, height = math.min(floor(width), w - x), math.min(floor(height), h - y)
   if x < 0 or y < 0 or width < 1 or height < 1 then fail('graphicsmagick: a part that is not in the image') end
   self.pixels = self.pixels:narrow(3, x + 1, width):narrow(2, y + 1, height):clone()
   return self
end

local function turned(pixels, dim)
   local n = pixels:size(dim)
   return pixels:index(dim, torch.range(n, 1, -1):long())
end

function Image:flip()
   self.pixels = turned(pixels_of(self), 2)
   return self
end

function Image:flop()
   self.pixels = turned(pixels_of(self), 3)
   return self
end

-- image:rotate(degrees): clockwise, by right angles.
function Image:rotate(degrees)
   local pixels = pixels_of(self)
   numbers('rotate', degrees)
   local turns = degrees / 90 % 4
   if turns ~= floor(turns) then
      fail('graphicsmagick: rotate: only multiples of 90 degrees are supported, not %g', degrees)
   end
   if turns == 1 then
      pixels = turned(pixels, 2):transpose(2, 3)
   elseif turns == 2 then
      pixels = turned(turned(pixels, 2), 3)
   elseif turns == 3 then
      pixels = turned(pixels:transpose(2, 3), 2)
   end
   self.pixels = pixels:contiguous()
   return self
end

-- image:addBorder(width, height[, r, g, b]): on each side, of one colour.
function Image:addBorder(width, height, r, g, b)
   local pixels = colours_of(self)
   numbers('addBorder', width, height)
   width, height = floor(width), floor(height)
   if width < 0 or height < 0 then fail('graphicsmagick: addBorder: a border has no negative size') end
   local w, h = pixels:size(3), pixels:size(2)
   local framed = pixels.new(pixels:size(1), h + 2 * height, w + 2 * width):fill(MOST)
   for i, value in ipairs(colour(r, g, b)) do framed[i]:fill(value) end
   framed:narrow(2, height + 1, h):narrow(3, width + 1, w):copy(pixels)
   self.pixels = framed
   return self
end

-- image:flatten(): the image on its background, as another image.
function Image:flatten()
   local flat = self:clone()
   local pixels = colours_of(flat)
   if pixels:size(1) == 4 then
      local share = pixels[4]:double():div(MOST)
      local result = pixels.new(3, pixels:size(2), pixels:size(3))
      for i, value in ipairs(colour(unpack(self.background))) do
         local mixed = pixels[i]:double():cmul(share):add(value, share:clone():mul(-1):add(1))
         result[i]:copy(mixed:add(0.5):floor())
      end
      flat.pixels = result
   end
   return flat
end

-- image:compose(other, 'Copy', x, y): another image on top of this one.
function Image:compose(other, operator, x, y)
   local pixels = colours_of(self)
   if operator == 'No' then return self end
   if torch.type(other) ~= 'graphicsmagick.Image' then fail('graphicsmagick: compose: an image expected') end
   local above = colours_of(other)
   if operator ~= 'Copy' or above:size(1) ~= 3 or pixels:size(1) ~= 3 then
      fail('graphicsmagick: compose: only Copy of images without transparency is supported')
   end
   x, y = x or 0, y or 0
   numbers('compose', x, y)
   x, y = floor(x), floor(y)
   local left, top = math.max(x, 0), math.max(y, 0)
   local width = math.min(x + above:size(3), pixels:size(3)) - left
   local height = math.min(y + above:size(2), pixels:size(2)) - top
   if width > 0 and height > 0 then
      local part = above:narrow(3, left - x + 1, width):narrow(2, top - y + 1, height)
      pixels:narrow(3, left + 1, width):narrow(2, top + 1, height):copy(part)
   end
   return self
end

---------------------------------------------------------------------------------------------------------
-- filters

function Image:negate()
   local pixels = colours_of(self):clone()
   pixels:narrow(1, 1, 3):mul(-1):add(MOST)
   self.pixels = pixels
   return self
end

function Image:sharpen(radius, sigma)
   radius, sigma = radius or 0, sigma or 1
   numbers('sharpen', radius, sigma)
   self.pixels = sharpen(colours_of(self), radius, sigma)
   return self
end

function Image:unsharpMask(radius, sigma, amount, threshold)
   numbers('unsharpMask', radius, sigma, amount, threshold)
   self.pixels = unsharp(colours_of(self), radius, sigma, amount, threshold)
   return self
end

function Image:blur(radius, sigma)
   numbers('blur', radius, sigma)
   self.pixels = blur(colours_of(self), radius, sigma)
   return self
end

local CHANNELS = {All = {1, 3}, Red = {1, 1}, Green = {2, 2}, Blue = {3, 3}}

-- image:gammaCorrection(gamma[, channel]): All, Red, Green or Blue.
function Image:gammaCorrection(value, channel)
   local planes = CHANNELS[channel or 'All']
   if not planes then fail('graphicsmagick: gammaCorrection: unknown channel %s', tostring(channel)) end
   numbers('gammaCorrection', value)
   self.pixels = gamma(colours_of(self), value, planes[1], planes[2])
   return self
end

for name, why in pairs{floodFill = '', colorize = '', affineTransform = '',
                       addNoise = ': its random numbers are its own',
                       show = ': it draws with Qt; image:save makes a file of it'} do
   Image[name] = function() fail('graphicsmagick: image:%s is not supported%s', name, why) end
end

chunk('files.lua')(core, gm, describe)
