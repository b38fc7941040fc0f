-- itorch: pictures, plots and HTML in a notebook. A program elsewhere runs, and shows none.
--
-- Arguments: core {fail}, host, itorch.

local core, _, itorch = ...
local fail = core.fail
local torch, image = torch, require 'image'
local type, ipairs, unpack = type, ipairs, unpack
local notified = false

local function take(name)
   local f = itorch[name]
   itorch[name] = nil
   return f
end

local show_html, show_plot = take '_html', take '_plot'

local function shown(is_shown)
   if not is_shown and not notified then
      notified = true
      io.stderr:write('itorch: nothing is shown outside of a notebook; image.save and gnuplot make files\n')
   end
end

-- itorch.image(images[, options]): a tensor, a table of tensors, or the name of a file.
function itorch.image(images, options)
   if type(images) == 'string' then images = image.load(images) end
   if type(images) ~= 'table' and not torch.isTensor(images) then
      fail('itorch.image: a tensor, a table of tensors or the name of a file expected, not a %s', torch.type(images))
   end
   local grid = {image = images}
   if type(options) == 'table' then
      for key, value in pairs(options) do grid[key] = value end
   end
   image.display(grid)
end

-- itorch.html(text)
function itorch.html(text)
   if type(text) ~= 'string' then fail('itorch.html: a string expected, not a %s', torch.type(text)) end
   shown(show_html(text))
end

function itorch.lena() return image.lena() end

for _, name in ipairs {'audio', 'video', 'svg'} do
   itorch[name] = function() fail('itorch.%s is not supported', name) end
end

---------------------------------------------------------------------------------------------------------
-- itorch.Plot(): a plot that is built by calls that can follow each other

local Plot = torch.class('itorch.Plot', itorch)

function Plot:__init() self.curves, self.texts, self.has_legend = {}, {}, false end

-- A vector of what is a tensor, a table of numbers or a number.
local function vector(x, name)
   if type(x) == 'number' then x = {x} end
   if type(x) == 'table' then x = torch.DoubleTensor(x) end
   if not torch.isTensor(x) then fail('itorch.Plot: %s: a tensor or a table of numbers expected', name) end
   return x:double():view(-1)
end

local function colour(c) return c and (" lc rgb '%s'"):format(c) or '' end

local function add(plot, name, style, x, y, c, legend)
   x, y = vector(x, name), vector(y, name)
   if x:size(1) ~= y:size(1) then
      fail('itorch.Plot: %s: x has %d elements, y %d', name, x:size(1), y:size(1))
   end
   for _, value in ipairs {legend or '', 'with ' .. style .. colour(c), x, y} do
      plot.curves[#plot.curves + 1] = value
   end
   return plot
end

for name, style in pairs {circle = 'points pt 7', triangle = 'points pt 8', line = 'lines'} do
   -- plot:line(x, y[, colour[, legend]])
   Plot[name] = function(self, x, y, c, legend) return add(self, name, style, x, y, c, legend) end
end

-- plot:segment(x0, y0, x1, y1[, colour[, legend]])
function Plot:segment(x0, y0, x1, y1, c, legend)
   x0, y0, x1, y1 = vector(x0, 'segment'), vector(y0, 'segment'), vector(x1, 'segment'), vector(y1, 'segment')
   for i = 1, x0:size(1) do
      add(self, 'segment', 'lines', {x0[i], x1[i]}, {y0[i], y1[i]}, c or 'black', i == 1 and legend or '')
   end
   return self
end

-- plot:quad(x0, y0, x1, y1, x2, y2, x3, y3[, colour[, legend]])
function Plot:quad(x0, y0, x1, y1, x2, y2, x3, y3, c, legend)
   local x = {vector(x0, 'quad'), vector(x1, 'quad'), vector(x2, 'quad'), vector(x3, 'quad')}
   local y = {vector(y0, 'quad'), vector(y1, 'quad'), vector(y2, 'quad'), vector(y3, 'quad')}
   for i = 1, x[1]:size(1) do
      add(self, 'quad', 'filledcurves', {x[1][i], x[2][i], x[3][i], x[4][i]}, {y[1][i], y[2][i], y[3][i], y[4][i]}, c,
          i == 1 and legend or '')
   end
   return self
end

-- plot:histogram(x[, bins[, lowest[, highest[, colour[, legend]]]]])
function Plot:histogram(x, bins, lowest, highest, c, legend)
   local counts = gnuplot.histc(vector(x, 'histogram'), bins or 10, lowest, highest)
   local centres, heights = {}, {}
   for i = 1, counts.bins do centres[i], heights[i] = counts[i].val, counts[i].nb end
   return add(self, 'histogram', 'boxes', centres, heights, c, legend)
end

Plot.hist = Plot.histogram

for _, name in ipairs {'title', 'xaxis', 'yaxis'} do
   Plot[name] = function(self, text)
      self.texts[name] = tostring(text)
      return self
   end
end

function Plot:legend(there)
   self.has_legend = there ~= false
   return self
end

-- plot:draw(): show it as it is now.
function Plot:draw()
   local texts = self.texts
   shown(show_plot(texts.title or '', texts.xaxis or '', texts.yaxis or '', self.has_legend, unpack(self.curves)))
   return self
end

Plot.redraw = Plot.draw
