-- image: ranges of values, many images as one, and windows.
--
-- Arguments: core {fail}, image, checks {check_tensor, sides}.

local core, image, checks = ...
local fail, check_tensor, sides = core.fail, checks.check_tensor, checks.sides
local type, ipairs, pairs = type, ipairs, pairs
local floor, ceil, min, max, abs = math.floor, math.ceil, math.min, math.max, math.abs
local torch, xlua = torch, xlua

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

---------------------------------------------------------------------------------------------------------
-- Windows do not exist: a notebook shows images, elsewhere programs that only show them run on

-- A stand-in for a window and its parts: each field of it and the result of each call is itself.
local nothing = setmetatable({}, {__tostring = function() return 'a window that is not there' end})
getmetatable(nothing).__index = function() return nothing end
getmetatable(nothing).__call = function() return nothing end

local notified = false
local show = checks.take '_show'

-- What image.display shows: the arguments of toDisplayTensor among its own.
local NAMES = {'padding', 'nrow', 'scaleeach', 'min', 'max', 'symmetric', 'saturate'}

local function windowless(name)
   if notified then return end
   notified = true
   io.stderr:write('image.', name, ': nothing is shown here; image.toDisplayTensor and image.save make a file\n')
end

-- image.window(...): a window is {window =, painter =}.
function image.window()
   windowless 'window'
   return {window = nothing, painter = nothing}
end

-- image.display(input[, zoom[, min[, max]]]) or image.display{image =, zoom =, min =, max =, nrow =, win =, ...}: the window;
-- a notebook, which shows what a cell ends with, has none.
function image.display(input, zoom, low, high)
   local options = type(input) == 'table' and input[1] == nil and input or {image = input, zoom = zoom, min = low, max = high}
   local shown = options.image
   if type(shown) == 'table' then shown = shown[1] end
   if not torch.isTensor(shown) then
      fail('image.display: an image or a list of images expected, not a %s', torch.type(options.image))
   end
   local grid = {input = options.image}
   for _, name in ipairs(NAMES) do grid[name] = options[name] end
   if show(image.toDisplayTensor(grid), options.zoom or 1) then return options.win end
   windowless 'display'
   return options.win or {window = nothing, painter = nothing}
end

for name, depth in pairs {lena = 3, fabio = 1} do   -- in colours, and a matrix of greys
   local variable = 'IMAGE_' .. name:upper()
   image[name] = function()
      local file = os.getenv(variable)
      if file then return image.load(file, depth) end
      fail('image.%s: the photograph is not part of this project; the environment variable %s may name a file', name,
           variable)
   end
end
for _, name in ipairs {'polar', 'logpolar'} do
   image[name] = function() fail('image.%s is not supported', name) end
end
function image.drawText() fail('image.drawText is not supported: the font is not part of this project') end
