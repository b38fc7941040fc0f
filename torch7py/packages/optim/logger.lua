-- optim.Logger: columns of numbers written to a file while a program trains, and plots of them.
--
-- Arguments: core {fail}. The packages paths and xlua are loaded before.

local core = ...
local fail = core.fail
local paths, xlua = paths, xlua

local Logger = torch.class('optim.Logger')

-- optim.Logger([name[, timestamp]]): to a file, whose directory is created, or to the screen.
function Logger:__init(name, timestamp)
   if name then
      self.name = name
      self.epsfile = name .. '.eps'
      local directory = paths.dirname(name)
      if not paths.dirp(directory) then paths.mkdir(directory) end
      local path = timestamp and name .. '-' .. os.date('%Y_%m_%d_%X') or name
      local file, err = io.open(path, 'w')
      if not file then fail('optim.Logger cannot open %s', err) end
      self.file = file
   else
      self.name, self.file = 'stdout', io.stdout
      print('<Logger> warning: no path provided, logging to std out')
   end
   self.empty = true            -- no heading has been written
   self.symbols = {}            -- column -> the values so far
   self.styles = {}             -- column -> styles of its plot
   self.names = {}              -- column -> heading
   self.idx = {}                -- heading -> column
   self.showPlot = true
   self.defaultStyle = '+'
   self.logscale = false
end

local function add_column(self, column, name)
   self.file:write(name .. '\t')
   self.symbols[column] = {}
   self.styles[column] = {self.defaultStyle}
end

-- logger:setNames{'name', ...}: the headings of columns that are added by number.
function Logger:setNames(names)
   self.names, self.empty, self.nsymbols = names, false, #names
   for column, name in pairs(names) do
      add_column(self, column, name)
      self.idx[name] = column
   end
   self.file:write('\n')
   self.file:flush()
   return self
end

local function text_of(value)
   if type(value) == 'number' then return string.format('%11.4e', value) end
   if type(value) == 'string' then return value end
   xlua.error('can only log numbers and strings', 'Logger')
end

-- logger:add{name = value, ...} or logger:add{value, ...}: a line; the first one's keys are the headings.
function Logger:add(values)
   if self.empty then
      self.empty = false
      self.nsymbols = #values
      for column in pairs(values) do
         add_column(self, column, column)
         self.names[column] = column
      end
      self.idx = self.names
      self.file:write('\n')
   end
   for column, value in pairs(values) do
      self.file:write(text_of(value) .. '\t')
      if not self.symbols[column] then fail("optim.Logger: there is no column '%s'", tostring(column)) end
   end
   self.file:write('\n')
   self.file:flush()
   for column, value in pairs(values) do table.insert(self.symbols[column], value) end
end

-- logger:style{column = style, ...}: how columns are plotted, one style or a list of several.
function Logger:style(styles)
   for column, style in pairs(styles) do
      if type(style) ~= 'string' and type(style) ~= 'table' then
         xlua.error('style should be a string or a table of strings', 'Logger')
      end
      self.styles[column] = type(style) == 'table' and style or {style}
   end
   return self
end

function Logger:setlogscale(on) self.logscale = on end

-- logger:display(on): whether plots appear on the screen too.
function Logger:display(on) self.showPlot = on end

---------------------------------------------------------------------------------------------------------
-- Plots

local function curves_of(self, headings)
   local curves = {}
   local function add(column)
      local values = self.symbols[column]
      if not values then fail("optim.Logger: there is no column '%s'", tostring(column)) end
      if #values < 2 then return end
      for _, style in ipairs(self.styles[column]) do
         curves[#curves + 1] = {self.names[column], torch.Tensor(values), style}
      end
   end
   if #headings == 0 then
      for column in pairs(self.symbols) do add(column) end
   else
      for _, name in ipairs(headings) do add(self.idx[name]) end
   end
   return curves
end

local function draw(self, gnuplot, curves)
   if self.logscale then gnuplot.logscale('on') end
   gnuplot.plot(curves)
   if self.plotRawCmd then gnuplot.raw(self.plotRawCmd) end
   gnuplot.grid('on')
   gnuplot.title('<Logger::' .. self.name .. '>')
end

-- logger:plot([name, ...]): plot all columns, or some, to a file beside the log's and on the screen.
function Logger:plot(...)
   local installed, gnuplot = pcall(require, 'gnuplot')
   if not installed then
      if not self.warned then print('<Logger> warning: cannot plot with this version of Torch') end
      self.warned = true
      return
   end
   local curves = curves_of(self, {...})
   if #curves == 0 then return end
   if self.showPlot then
      self.figure = gnuplot.figure(self.figure)
      draw(self, gnuplot, curves)
   end
   if self.epsfile then
      os.remove(self.epsfile)
      local figure = gnuplot.epsfigure(self.epsfile)
      draw(self, gnuplot, curves)
      gnuplot.plotflush()
      gnuplot.close(figure)
   end
end
