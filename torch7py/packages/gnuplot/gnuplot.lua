-- gnuplot: the arguments of its functions. Figures are numbers; one of them is the current.
--
-- Arguments: core {fail}, host, gnuplot.

local core, _, gnuplot = ...
local fail = core.fail
local torch = torch
local type, ipairs, select, unpack, tostring = type, ipairs, select, unpack, tostring

local function take(name)
   local f = gnuplot['_' .. name]
   gnuplot['_' .. name] = nil
   return f
end

local open, close, flush, print_figure = take 'open', take 'close', take 'flush', take 'print'
local draw, image, label, grid, legend = take 'draw', take 'image', take 'label', take 'grid', take 'legend'
local shape, limit, logarithmic, raw = take 'shape', take 'limit', take 'logarithmic', take 'raw'

local current
local there = {}

local function turn_to(n, file, kind)
   if n == nil then
      n = 1
      while there[n] do n = n + 1 end
   end
   open(n, file, kind)
   there[n], current = true, n
   return n
end

local function figure() return current or turn_to() end

---------------------------------------------------------------------------------------------------------
-- Figures

-- gnuplot.figure([n]): turn to a figure, a new one without a number.
function gnuplot.figure(n) return turn_to(n) end

for _, kind in ipairs {'png', 'svg', 'pdf', 'eps'} do
   -- gnuplot.pngfigure(file[, n]): a figure that is drawn into a file.
   gnuplot[kind .. 'figure'] = function(file, n)
      if type(file) ~= 'string' then fail('gnuplot.%sfigure: the name of a file expected', kind) end
      return turn_to(n, file, kind)
   end
end

-- gnuplot.figprint(file): write the current figure to a file, whose kind the end of its name says.
function gnuplot.figprint(file) print_figure(figure(), file) end

-- gnuplot.plotflush([n]): write the figure's file.
function gnuplot.plotflush(n)
   n = n or current
   if not n or not there[n] then print('no figure ' .. tostring(n)) return end
   flush(n)
end

-- gnuplot.close([n]): write the figure's file and forget the figure.
function gnuplot.close(n)
   n = n or current
   if not n or not there[n] then return end
   there[n] = nil
   if current == n then current = nil end
   close(n)
end

function gnuplot.closeall()
   for n in pairs(there) do close(n) end
   there, current = {}, nil
end

for _, name in ipairs {'setterm', 'setgnuplotexe'} do
   gnuplot[name] = function() fail('gnuplot.%s: no program gnuplot is run; plots are drawn into files', name) end
end

---------------------------------------------------------------------------------------------------------
-- Plots

local function is_tensor(x) return type(x) == 'userdata' and torch.isTensor(x) end

-- [string,] tensor [, tensor [, tensor]] [, string]: legend, style, and the tensors.
local function parts(t, name)
   local n, at = #t, 1
   local text, style, tensors = '', '', {}
   if type(t[1]) == 'string' then text, at = t[1], 2 end
   while is_tensor(t[at]) do tensors[#tensors + 1], at = t[at], at + 1 end
   if type(t[at]) == 'string' then style, at = t[at], at + 1 end
   if #tensors == 0 then fail('gnuplot.%s: there is no tensor among the arguments', name) end
   if at <= n then
      fail('gnuplot.%s: expected [string,] tensor [, tensor] [, string], not a %s at place %d',
           name, type(t[at]), at)
   end
   return text, style, tensors
end

-- The positions and values of a curve in one tensor: two columns, four for arrows, or one of positions and several of
-- values.
local function columns(x, style)
   if x:dim() == 2 and x:size(2) == 4 and style:lower() == 'v' then
      return x:index(2, torch.LongTensor {1, 3}), x:index(2, torch.LongTensor {2, 4})
   elseif x:dim() == 2 and x:size(2) == 2 then
      return x:select(2, 1), x:select(2, 2)
   elseif x:dim() == 2 and x:size(2) > 2 then
      return x:select(2, 1), x:narrow(2, 2, x:size(2) - 1)
   elseif x:dim() == 2 then
      x = x:select(2, 1)
   elseif x:dim() ~= 1 then
      fail('gnuplot.plot: a tensor of one or two dimensions expected, not of %d', x:dim())
   end
   return torch.range(1, x:size(1)), x
end

local function curve(t)
   local text, style, tensors = parts(t, 'plot')
   if #tensors > 2 then fail 'gnuplot.plot: a curve has one tensor or two' end
   local x, y = unpack(tensors)
   if not y then x, y = columns(x, style) end
   local arrows = style:lower() == 'v' or style == 'vectors'
   local dimensions = arrows and 2 or 1
   if x:dim() ~= dimensions or y:dim() < 1 or y:dim() > 2 or arrows and (y:dim() ~= 2 or x:size(2) ~= 2 or y:size(2) ~= 2)
   or x:size(1) ~= y:size(1) then
      fail('gnuplot.plot: sizes of x and y do not fit: %s and %s', table.concat(x:size():totable(), 'x'),
           table.concat(y:size():totable(), 'x'))
   end
   return text, style, x, y, y
end

local function surface(t)
   local text, style, tensors = parts(t, 'splot')
   local x, y, z = unpack(tensors)
   if #tensors == 2 or #tensors > 3 or style ~= '' then fail 'gnuplot.splot: expected [string,] z, or [string,] x, y, z' end
   if x:dim() ~= 2 then fail('gnuplot.splot: a matrix expected, not %d dimensions', x:dim()) end
   if not z then
      z = x
      x = torch.range(1, z:size(1)):view(-1, 1):expand(z:size(1), z:size(2))
      y = torch.range(1, z:size(2)):view(1, -1):expand(z:size(1), z:size(2))
   end
   if not (x:isSameSizeAs(z) and y:isSameSizeAs(z)) then fail 'gnuplot.splot: x, y and z are matrices of one size' end
   return text, '', x, y, z
end

local function cloud(t)
   local text, style, tensors = parts(t, 'scatter3')
   local x, y, z = unpack(tensors)
   if #tensors ~= 3 or style ~= '' then fail 'gnuplot.scatter3: expected [string,] x, y, z' end
   if x:dim() ~= 1 or not (x:isSameSizeAs(y) and x:isSameSizeAs(z)) then
      fail 'gnuplot.scatter3: x, y and z are vectors of one size'
   end
   return text, '', x, y, z
end

-- f(...) of one curve, of tables with a curve each, or of a table of such tables.
local function plotting(name, kind, one)
   return function(...)
      local arguments = {...}
      if select('#', ...) == 0 then fail('gnuplot.%s: nothing to plot', name) end
      if type(arguments[1]) ~= 'table' then
         arguments = {arguments}
      elseif type(arguments[1][1]) == 'table' then
         arguments = arguments[1]
      end
      local all = {}
      for _, t in ipairs(arguments) do
         if type(t) ~= 'table' then fail('gnuplot.%s: a table for each curve expected, not a %s', name, type(t)) end
         if #t == 0 then fail('gnuplot.%s: an empty table is no curve', name) end
         for _, value in ipairs {one(t)} do all[#all + 1] = value end
      end
      draw(figure(), kind, unpack(all))
   end
end

gnuplot.plot = plotting('plot', 'plot', curve)
gnuplot.splot = plotting('splot', 'surface', surface)
gnuplot.scatter3 = plotting('scatter3', 'scatter3', cloud)

-- gnuplot.imagesc(matrix[, 'gray' or 'color'])
function gnuplot.imagesc(x, palette)
   if not is_tensor(x) or x:dim() ~= 2 then fail 'gnuplot.imagesc: a matrix expected' end
   if palette ~= nil and type(palette) ~= 'string' then fail 'gnuplot.imagesc: the palette is a string' end
   image(figure(), x, palette or 'gray')
end

-- gnuplot.bar([x,] y)
function gnuplot.bar(...)
   local arguments = {...}
   arguments[#arguments + 1] = '|'
   gnuplot.plot(arguments)
end

-- gnuplot.histc(x[, bins[, lowest[, highest]]]): how many of the elements are in each bin of equal width.
function gnuplot.histc(x, bins, lowest, highest)
   bins, lowest, highest = bins or 79, lowest or x:min(), highest or x:max()
   local histogram = {raw = torch.histc(x:double(), bins, lowest, highest):typeAs(torch.Tensor())}
   if lowest == highest then lowest, highest = lowest - 1, highest + 1 end
   histogram.min, histogram.max, histogram.bins = lowest, highest, bins
   for i = 1, bins do
      histogram[i] = {val = lowest + (i - 0.5) * (highest - lowest) / bins, nb = histogram.raw[i]}
   end
   return histogram
end

-- gnuplot.hist(x[, bins[, lowest[, highest]]]): that, plotted.
function gnuplot.hist(x, bins, lowest, highest)
   local histogram = gnuplot.histc(x, bins, lowest, highest)
   local centres = torch.Tensor(#histogram)
   for i = 1, #histogram do centres[i] = histogram[i].val end
   gnuplot.bar(centres, histogram.raw)
   return histogram
end

---------------------------------------------------------------------------------------------------------
-- Settings

for _, name in ipairs {'xlabel', 'ylabel', 'zlabel', 'title'} do
   local where = name == 'title' and name or name:sub(1, 1)
   gnuplot[name] = function(text) label(figure(), where, tostring(text)) end
end

function gnuplot.grid(on) grid(figure(), on and true or false) end

function gnuplot.movelegend(across, down) legend(figure(), tostring(across), tostring(down)) end

-- gnuplot.axis(word), or of {xmin, xmax, ymin, ymax}; '' leaves an end as it is by the data.
function gnuplot.axis(axis)
   if type(axis) ~= 'table' then return shape(figure(), tostring(axis)) end
   if #axis ~= 4 then fail('gnuplot.axis: a table has 4 limits, {xmin, xmax, ymin, ymax}, not %d', #axis) end
   for i, value in ipairs(axis) do
      limit(figure(), i < 3 and 'x' or 'y', i % 2 == 1 and 'lowest' or 'highest', value ~= '' and tonumber(value) or nil)
   end
end

-- gnuplot.logscale('on' or 'off'): of all axes.
function gnuplot.logscale(state) logarithmic(figure(), 'xyz', state ~= 'off' and state ~= false) end

function gnuplot.raw(commands) raw(figure(), commands) end
