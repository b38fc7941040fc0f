-- itorch: pictures, plots and HTML in a notebook. A program elsewhere runs, and shows none.
--
-- Arguments: core {fail}, host, itorch.

local core, _, itorch = ...
local fail = core.fail
local torch, image = torch, require 'image'
local type, pairs, ipairs, unpack, tostring = type, pairs, ipairs, unpack, tostring
local notified, windows = false, 0

local function take(name)
   local f = itorch[name]
   itorch[name] = nil
   return f
end

local show_html, show_plot, show_media = take '_html', take '_plot', take '_media'
local page_of_plot = take '_page'

local function shown(is_shown)
   if not is_shown and not notified then
      notified = true
      io.stderr:write('itorch: nothing is shown outside of a notebook; image.save and gnuplot make files\n')
   end
end

-- itorch.image(images[, options]): a tensor, a table of tensors, or the name of a file; options of toDisplayTensor.
function itorch.image(images, options)
   if type(images) == 'string' then
      if images:find '%.svg$' then return itorch.svg(images) end
      images = image.load(images)
   end
   if type(images) ~= 'table' and not torch.isTensor(images) then
      fail('itorch.image: a tensor, a table of tensors or the name of a file expected, not a %s', torch.type(images))
   end
   local grid = {image = images}
   for key, value in pairs(options or {padding = 2}) do grid[key] = value end
   image.display(grid)
end

-- itorch.html(text[, window]): the window, which is a name and nothing else here.
function itorch.html(text, window)
   if type(text) ~= 'string' then fail('itorch.html: a string expected, not a %s', torch.type(text)) end
   shown(show_html(text))
   windows = windows + 1
   return window or 'window_' .. windows
end

-- itorch.svg(text or the name of a file)
function itorch.svg(text)
   if type(text) ~= 'string' then fail('itorch.svg: a string expected, not a %s', torch.type(text)) end
   local file = io.open(text)
   if file then
      text = file:read '*a'
      file:close()
   end
   return itorch.html(text)
end

for _, kind in ipairs {'audio', 'video'} do
   -- itorch.audio(file)
   itorch[kind] = function(file)
      if type(file) ~= 'string' then fail('itorch.%s: the name of a file expected', kind) end
      shown(show_media(kind, file))
   end
end

function itorch.lena() return image.lena() end

---------------------------------------------------------------------------------------------------------
-- itorch.Plot(): a plot that is built by calls that can follow each other

local Plot = torch.class('itorch.Plot', itorch)

-- `parts` has four values for each curve: its legend, its style, x and y. `texts` has x, y, and text for each.
function Plot:__init() self.parts, self.labels, self.names, self.has_legend = {}, {}, {}, false end

-- A vector of what is a tensor, a table of numbers or a number.
local function vector(x, name)
   if type(x) == 'number' then x = {x} end
   if type(x) == 'table' then x = torch.DoubleTensor(x) end
   if not torch.isTensor(x) then fail('itorch.Plot: %s: a tensor or a table of numbers expected', name) end
   return x:double():contiguous():view(-1)
end

-- Of a colour for each point, the first is taken for all.
local function colour(c)
   if type(c) == 'table' then c = c[1] end
   return (" lc rgb '%s'"):format(c or 'red')
end

local function same_length(name, ...)
   local vectors = {...}
   for i, x in ipairs(vectors) do
      vectors[i] = vector(x, name)
      if vectors[i]:size(1) ~= vectors[1]:size(1) then
         fail('itorch.Plot: %s: as many elements expected, not %d and %d', name, vectors[1]:size(1), vectors[i]:size(1))
      end
   end
   return unpack(vectors)
end

local function add(plot, name, style, x, y, legend)
   x, y = same_length(name, x, y)
   local parts = plot.parts
   for _, value in ipairs {legend or '', 'with ' .. style, x, y} do parts[#parts + 1] = value end
   return plot
end

for name, style in pairs {circle = 'points pt 7', triangle = 'points pt 8', line = 'lines'} do
   -- plot:line(x, y[, colour[, legend]])
   Plot[name] = function(self, x, y, c, legend)
      return add(self, name, style .. colour(c), x, y, legend or 'unnamed')
   end
end

-- plot:gscatter(x, y[, labels[, legend]]): points, in a colour for each label.
function Plot:gscatter(x, y, labels, legend)
   x, y = same_length('gscatter', x, y)
   if labels == nil then return add(self, 'gscatter', 'points pt 7', x, y) end
   x, y, labels = same_length('gscatter', x, y, labels)
   local order, places = {}, {}
   for i = 1, labels:size(1) do
      local label = labels[i]
      if not places[label] then places[label], order[#order + 1] = {}, label end
      places[label][#places[label] + 1] = i
   end
   for _, label in ipairs(order) do
      local at = torch.LongTensor(places[label])
      add(self, 'gscatter', 'points pt 7', x:index(1, at), y:index(1, at), tostring(label))
   end
   self.has_legend = legend ~= false
   return self
end

-- plot:segment(x0, y0, x1, y1[, colour[, legend]])
function Plot:segment(x0, y0, x1, y1, c, legend)
   x0, y0, x1, y1 = same_length('segment', x0, y0, x1, y1)
   local nan, n = 0 / 0, x0:size(1)   -- where a line ends
   local x, y = torch.DoubleTensor(n, 3):fill(nan), torch.DoubleTensor(n, 3):fill(nan)
   x:select(2, 1):copy(x0)
   x:select(2, 2):copy(x1)
   y:select(2, 1):copy(y0)
   y:select(2, 2):copy(y1)
   return add(self, 'segment', 'lines' .. colour(c), x, y, legend or 'unnamed')
end

-- plot:quiver(U, V[, colour[, legend[, scaling]]]): arrows, on a grid, of matrices of their two components.
function Plot:quiver(U, V, c, legend, scaling)
   if not (torch.isTensor(U) and torch.isTensor(V) and U:dim() == 2 and U:isSameSizeAs(V)) then
      fail 'itorch.Plot: quiver: two matrices of one size expected'
   end
   scaling = scaling or 40
   local rows, columns = U:size(1), U:size(2)
   local y0 = torch.range(1, columns):view(-1, 1):expand(columns, rows)
   local x0 = torch.range(1, rows):view(1, -1):expand(columns, rows)
   local dx, dy = vector(U, 'quiver') / scaling, vector(V, 'quiver') / scaling
   x0, y0 = vector(x0, 'quiver'), vector(y0, 'quiver')
   local x1, y1 = x0 + dx, y0 + dy
   self:segment(x0, y0, x1, y1, c, legend)
   for _, side in ipairs {1, -1} do   -- the two lines of each head
      self:segment(x1, y1, x1 - dx / 10 - dy * (side / 20), y1 - dy / 10 + dx * (side / 20), c, '')
   end
   return self
end

-- plot:quad(x0, y0, x1, y1[, colour[, legend]]): rectangles between two corners.
function Plot:quad(x0, y0, x1, y1, c, legend)
   x0, y0, x1, y1 = same_length('quad', x0, y0, x1, y1)
   for i = 1, x0:size(1) do
      local left, low, right, high = x0[i], y0[i], x1[i], y1[i]
      add(self, 'quad', 'filledcurves' .. colour(c), {left, right, right, left}, {low, low, high, high},
          i == 1 and (legend or 'unnamed') or '')
   end
   return self
end

-- plot:histogram(x[, bins[, lowest[, highest[, colour[, legend]]]]])
function Plot:histogram(x, bins, lowest, highest, c, legend)
   local counts = gnuplot.histc(vector(x, 'histogram'), bins or 100, lowest, highest)
   local centres, heights = {}, {}
   for i = 1, counts.bins do centres[i], heights[i] = counts[i].val, counts[i].nb end
   return add(self, 'histogram', 'boxes' .. colour(c), centres, heights, legend or 'unnamed')
end

Plot.hist = Plot.histogram

-- plot:text(x, y, text): a text, or a table of them, at points; what else it may be given is not looked at.
function Plot:text(x, y, text)
   x, y = same_length('text', x, y)
   if type(text) ~= 'table' then text = {text} end
   for i = 1, x:size(1) do
      for _, value in ipairs {x[i], y[i], tostring(text[i] or text[1])} do self.labels[#self.labels + 1] = value end
   end
   return self
end

for _, name in ipairs {'title', 'xaxis', 'yaxis'} do
   Plot[name] = function(self, text)
      self.names[name] = text ~= nil and tostring(text) or nil
      return self
   end
end

function Plot:legend(there)
   self.has_legend = there ~= false
   return self
end

function Plot:hover_tool() return self end

local function arguments(plot)
   local names = plot.names
   return names.title or '', names.xaxis or '', names.yaxis or '', plot.has_legend, plot.labels, unpack(plot.parts)
end

-- plot:draw(): show it as it is now.
function Plot:draw()
   shown(show_plot(arguments(self)))
   return self
end

Plot.redraw = Plot.draw

-- plot:toHTML(): a page with the plot as a picture.
function Plot:toHTML() return page_of_plot(arguments(self)) end

-- plot:save(file): that page as a file.
function Plot:save(file)
   if type(file) ~= 'string' then fail 'itorch.Plot: save: the name of a file expected' end
   local out, message = io.open(file, 'w')
   if not out then fail('itorch.Plot: save: %s', message) end
   out:write(self:toHTML())
   out:close()
   return self
end
