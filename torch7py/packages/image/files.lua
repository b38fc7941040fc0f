-- image: pictures in files and in memory.
--
-- Arguments: core {fail}, image, checks {take, check_tensor}.

local core, image, checks = ...
local fail, take, check_tensor = core.fail, checks.take, checks.check_tensor
local kind_of, read, decode, size_of = take '_kind', take '_read', take '_decode', take '_size'
local write, encode = take '_write', take '_encode'
local type, pairs, ipairs, tostring = type, pairs, ipairs, tostring
local torch = torch

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

-- The format of a file: by its first bytes, or else by its name.
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
   local format = filetypes[suffix] or fail('image.save: unknown image type: %s', tostring(suffix))
   format.saver(filename, img)
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
