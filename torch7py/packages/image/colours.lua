-- image: colour spaces and colour maps.
--
-- Arguments: core {fail}, image, checks {take, check_tensor, destination}.

local core, image, checks = ...
local fail, take, check_tensor, destination = core.fail, checks.take, checks.check_tensor, checks.destination
local rgb2y, change, colorize, draw_rect = take '_rgb2y', take '_change', take '_colorize', take '_draw_rect'
local ipairs, floor, min, max, abs, fmod = ipairs, math.floor, math.min, math.max, math.abs, math.fmod
local torch = torch

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
