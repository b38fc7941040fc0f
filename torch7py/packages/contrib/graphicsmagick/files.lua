-- graphicsmagick: functions from files to files, and the metadata of files.
--
-- Arguments: core {fail}, graphicsmagick, describe.

local core, gm, describe = ...
local fail = core.fail
local floor, max, min, pairs, tonumber, type = math.floor, math.max, math.min, pairs, tonumber, type
local torch = torch

-- gm.load(path[, type]): red, green and blue planes.
function gm.load(path, kind) return gm.Image(path):toTensor(kind or 'float', 'RGB', 'DHW') end

-- gm.save(path, tensor[, quality]): one plane is taken for all three.
function gm.save(path, tensor, quality)
   if not torch.isTensor(tensor) then fail('graphicsmagick: save: a tensor expected, not a %s', torch.type(tensor)) end
   local n = tensor:dim()
   if n == 2 or (n == 3 and tensor:size(1) == 1) then
      local height, width = tensor:size(n - 1), tensor:size(n)
      tensor = tensor:reshape(1, height, width):expand(3, height, width)
   end
   gm.Image(tensor, 'RGB', 'DHW'):save(path, quality)
end

-- Degrees of three texts, '12/1, 30/1, 0/1' or "12 deg 30' 0""; or of one number.
local function degrees(value)
   local function part(fraction)
      local above, below = fraction:match('^%s*([%d.]+)%s*/%s*([%d.]+)%s*$')
      if above then return tonumber(above) / tonumber(below) end
      return tonumber(fraction)
   end
   for _, pattern in ipairs{'^(.-),%s*(.-),%s*(.+)$', '^(.-) deg (.-)\' (.-)"', '^(.-),(.-)%a$'} do
      local d, m, s = value:match(pattern)
      d, m, s = d and part(d), m and part(m), part(s or '0')
      if d and m and s then return d + m / 60 + s / 3600 end
   end
   return tonumber(value)
end

-- gm.parseExif(table of texts by name): the date, and where on Earth.
function gm.parseExif(exif)
   local date
   for _, taken in ipairs{'DateTimeOriginal', 'DateTimeDigitized', 'DateTime'} do date = date or exif[taken] end
   local longitude = exif.GPSLongitude and degrees(exif.GPSLongitude)
   local latitude = exif.GPSLatitude and degrees(exif.GPSLatitude)
   if not longitude or not latitude then return date end
   local function placed(value, ref, negative, positive)
      if ref then return ref:upper():sub(1, 1) .. value end
      return (value < 0 and negative or positive) .. math.abs(value)
   end
   longitude = placed(longitude, exif.GPSLongitudeRef, 'W', 'E')
   latitude = placed(latitude, exif.GPSLatitudeRef, 'S', 'N')
   local address = 'https://maps.google.com/maps?q=' .. longitude .. ',' .. latitude
   return date, {longitude = longitude, latitude = latitude, url_google = address}
end

-- gm.info(path[, simple[, exif]]): format, width, height; with the camera's data, and the date and place in them. Names
-- in the table `exif` replace the file's.
function gm.info(path, simple, more)
   if type(path) ~= 'string' then fail('graphicsmagick: info: the name of a file expected') end
   local format, width, height, texts = describe(path)
   if not format then return {error = 'not an image'} end
   local result = {format = format, width = width, height = height}
   if simple then return result end
   local exif = {}
   for i = 1, #texts, 2 do exif[texts[i]] = texts[i + 1] end
   for name, value in pairs(more or {}) do exif[name] = value end
   result.exif = exif
   result.date, result.location = gm.parseExif(exif)
   function result.moreinfo(pattern)
      if not pattern then return print('a pattern is missing: "%m" is the format, "%w" the width, "%h" the height') end
      return (pattern:gsub('%%(.)', function(letter)
         local value = ({m = format, w = width, h = height})[letter]
         return value or fail('graphicsmagick: moreinfo: %%%s is not supported', letter)
      end))
   end
   return result
end

-- The size that a text like '128x96', '128', 'x96' or '128x96!' asks for; without ! in the image's proportions.
local function geometry(size_text, w, h)
   local width, height, exact = tostring(size_text):match('^(%d*)x?(%d*)(!?)$')
   width, height = tonumber(width), tonumber(height)
   if not width and not height then fail("graphicsmagick: convert: '%s' is no size", tostring(size_text)) end
   if exact == '!' then return width or w, height or h end
   local scale = min((width or math.huge) / w, (height or math.huge) / h)
   return max(floor(w * scale + 0.5), 1), max(floor(h * scale + 0.5), 1)
end

local NAMES = {'input', 'output', 'size', 'rotate', 'vflip', 'hflip', 'quality', 'benchmark', 'verbose'}

-- gm.convert{input =, output =[, size =, rotate =, vflip =, hflip =, quality =, verbose =]}
function gm.convert(...)
   local first = ...
   local options = first
   if type(first) ~= 'table' then
      options = {}
      for i = 1, select('#', ...) do options[NAMES[i] or i] = (select(i, ...)) end
   end
   local known = {}
   for _, name in ipairs(NAMES) do known[name] = true end
   for name in pairs(options) do
      if not known[name] then fail('graphicsmagick: convert: unknown argument %s', tostring(name)) end
   end
   if type(options.input) ~= 'string' or type(options.output) ~= 'string' then
      fail('graphicsmagick: convert: the names of files expected as input and output')
   end
   local image = gm.Image(options.input)
   if options.size then image:size(geometry(options.size, image:size())) end
   if options.rotate then image:rotate(options.rotate) end
   if options.vflip then image:flip() end
   if options.hflip then image:flop() end
   image:save(options.output, options.quality or 90)
   if options.verbose then
      local w, h = image:size()
      print(('%s=>%s %dx%d'):format(options.input, options.output, w, h))
   end
end
