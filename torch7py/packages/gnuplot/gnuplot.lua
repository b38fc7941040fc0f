-- gnuplot: the arguments of its functions. Figures are numbers; one of them is the current.
--
-- Arguments: core {fail}, host, gnuplot.

local core, _, gnuplot = ...
local fail = core.fail
local torch = torch
local type, ipairs, unpack, tostring = type, ipairs, unpack, tostring

local function take(name)
   local f = gnuplot['_' .. name]
   gnuplot['_' .. name] = nil
   return f
end

local open, flush, draw, image = take 'open', take 'flush', take 'draw', take 'image'
local label, grid, legend, shape = take 'label', take 'grid', take 'legend', take 'shape'
local limits, logarithmic = take 'limits', take 'logarithmic'

---------------------------------------------------------------------------------------------------------
-- Figures

-- gnuplot.figure([n]): turn to a figure, a new one without a number.
function gnuplot.figure(n) return open(n) end

for _, kind in ipairs {'png', 'svg', 'pdf', 'eps'} do
   -- gnuplot.pngfigure(file[, n]): a figure that is drawn into a file.
   gnuplot[kind .. 'figure'] = function(file, n)
      if type(file) ~= 'string' then fail('gnuplot.%sfigure: the name of a file expected', kind) end
      return open(n, file, kind)
   end
end

-- gnuplot.plotflush([n]): write the figure's file.
function gnuplot.plotflush(n)
   if not flush(n) then print('no figure ' .. tostring(n)) end
end

for _, name in ipairs {'setterm', 'setgnuplotexe'} do
   gnuplot[name] = function() fail('gnuplot.%s: no program gnuplot is run; plots are drawn into files', name) end
end

---------------------------------------------------------------------------------------------------------
-- Plots

local function is_tensor(x) return type(x) == 'userdata' and torch.isTensor(x) end

-- f(...) of one curve, [string,] tensor [, tensor [, tensor]] [, string], of tables with a curve each, or of a table of
-- such tables.
for _, name in ipairs {'plot', 'splot', 'scatter3'} do
   gnuplot[name] = function(...)
      local curves = {...}
      if #curves > 0 and type(curves[1]) ~= 'table' then
         curves = {curves}
      elseif #curves > 0 and type(curves[1][1]) == 'table' then
         curves = curves[1]
      end
      local all = {}
      for _, t in ipairs(curves) do
         if type(t) ~= 'table' then fail('gnuplot.%s: a table for each curve expected, not a %s', name, type(t)) end
         all[#all + 1] = #t
         for i = 1, #t do all[#all + 1] = t[i] end
      end
      draw(name, unpack(all))
   end
end

-- gnuplot.imagesc(matrix[, 'gray' or 'color'])
function gnuplot.imagesc(x, palette)
   if not is_tensor(x) or x:dim() ~= 2 then fail 'gnuplot.imagesc: a matrix expected' end
   if palette ~= nil and type(palette) ~= 'string' then fail 'gnuplot.imagesc: the palette is a string' end
   image(x, palette or 'gray')
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
   gnuplot[name] = function(text) label(where, tostring(text)) end
end

function gnuplot.grid(on) grid(on and true or false) end

function gnuplot.movelegend(across, down) legend(tostring(across), tostring(down)) end

-- gnuplot.axis(word), or of {xmin, xmax, ymin, ymax}; '' leaves an end as it is by the data.
function gnuplot.axis(axis)
   if type(axis) ~= 'table' then return shape(tostring(axis)) end
   local ends = {}
   for i = 1, #axis do ends[i] = axis[i] ~= '' and tonumber(axis[i]) or nil end
   limits(unpack(ends, 1, #axis))
end

-- gnuplot.logscale('on' or 'off'): of all axes.
function gnuplot.logscale(state) logarithmic(state ~= 'off' and state ~= false) end
