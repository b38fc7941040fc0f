-- graphicsmagick: images from files, their sizes and parts, and their values as tensors.
--
-- Arguments: core {fail}, host, graphicsmagick. An image is an IntTensor of planes with values up to 65535.

local core, _, gm = ...
local fail = core.fail
local floor, type = math.floor, type
local torch = torch
local read, resize = gm._read, gm._resize
gm._read, gm._resize = nil, nil

local MOST = 65535

-- gm.Image([path[, width[, height]]])
local Image = torch.class('graphicsmagick.Image', gm)

function Image:__init(path, width, height)
   if path ~= nil then self:load(path, width, height) end
end

-- image:load(path[, width[, height]]): the size says how large it need be at least.
function Image:load(path, width, height)
   if type(path) ~= 'string' then fail('graphicsmagick: the name of a file expected, not a %s', torch.type(path)) end
   self.pixels, self.path = read(path, width, height), path
   return self
end

function Image:clone()
   local copy = gm.Image()
   copy.pixels, copy.path = self.pixels:clone(), self.path
   return copy
end

-- image:size(): width and height. image:size(width, height) resizes; of one of them the other follows: image:size(n)
-- fits into n x n, image:size(nil, n) covers that.
function Image:size(width, height)
   local w, h = self.pixels:size(3), self.pixels:size(2)
   if not width and not height then return w, h end
   local box = width or height
   if not (width and height) then
      local across = w > h
      if not width then across = w < h end
      if across then
         width, height = box, box * h / w
      else
         width, height = box * w / h, box
      end
   end
   self.pixels = resize(self.pixels, floor(width), floor(height))
   return self
end

-- image:crop(width, height, x, y): a part, from x and y on (0). Cut off at the image's end.
function Image:crop(width, height, x, y)
   local w, h = self:size()
   x, y = floor(x or 0), floor(y or 0)
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
   self.pixels = turned(self.pixels, 2)
   return self
end

function Image:flop()
   self.pixels = turned(self.pixels, 3)
   return self
end

-- One plane by its letter: R, G, B, A or I (how bright it is).
local function plane(pixels, letter)
   local planes = pixels:size(1)
   local colours = planes > 2
   if letter == 'A' then
      if planes == 2 or planes == 4 then return pixels[planes] end
      return pixels[1]:clone():fill(MOST)
   end
   local place = ('RGB'):find(letter, 1, true)
   if place then return pixels[colours and place or 1] end
   if letter ~= 'I' then fail("graphicsmagick: the letters of colours are R, G, B, A and I, not '%s'", letter) end
   if not colours then return pixels[1] end
   local sum = pixels[1]:double():mul(306):add(601, pixels[2]:double()):add(117, pixels[3]:double())
   return sum:div(1024):floor():int()
end

-- image:toTensor([type[, letters[, dims]]]): bytes, or 'float' or 'double' up to 1; planes by letters ('RGB'), height,
-- width with 'DHW', else height, width, planes.
function Image:toTensor(kind, letters, dims)
   kind, letters = kind or 'byte', letters or 'RGB'
   local types = {byte = 'torch.ByteTensor', float = 'torch.FloatTensor', double = 'torch.DoubleTensor'}
   if not types[kind] then fail('graphicsmagick: unknown data type %s', tostring(kind)) end
   local w, h = self:size()
   local values = torch.DoubleTensor(#letters, h, w)
   for i = 1, #letters do values[i]:copy(plane(self.pixels, letters:sub(i, i))) end
   if kind == 'byte' then values:div(257):add(0.5):floor() else values:div(MOST) end
   if dims ~= 'DHW' then values = values:permute(2, 3, 1):contiguous() end
   return values:type(types[kind])
end
