-- display: a program that shows its images and plots in a browser runs, and shows none.
--
-- Arguments: core {fail}, host, display.

local core, _, display = ...
local fail = core.fail
local torch, type, pairs = torch, type, pairs
local notified, panes = false, 0

-- The name of a pane: the one that was asked for, or a new one.
local function shown(options, name)
   if options ~= nil and type(options) ~= 'table' then fail('display.%s: a table of options expected', name) end
   if not notified then
      notified = true
      io.stderr:write('display: nothing is shown here; image.save and gnuplot make files\n')
   end
   panes = panes + 1
   return options and options.win or 'pane_' .. panes
end

local function check_images(images, name)
   if torch.isTensor(images) then
      if images:dim() < 2 or images:dim() > 4 then
         fail('display.%s: an image has 2 or 3 dimensions, several have 4, not %d', name, images:dim())
      end
   elseif type(images) == 'table' then
      for _, one in pairs(images) do check_images(one, name) end
   else
      fail('display.%s: a tensor or a table of tensors expected', name)
   end
end

for _, name in pairs {'image', 'images'} do
   -- display.image(images[, options])
   display[name] = function(images, options)
      check_images(images, name)
      return shown(options, name)
   end
end

-- display.plot(rows[, options]): rows of a table or tensor, with x first.
function display.plot(rows, options)
   if type(rows) ~= 'table' and not torch.isTensor(rows) then fail 'display.plot: a table of rows expected' end
   return shown(options, 'plot')
end

function display.text(text, options) return shown(options, 'text') end

function display.audio(samples, options) return shown(options, 'audio') end

function display.pane(kind, win, title, content) return shown({win = win}, 'pane') end

-- display.configure{port, hostname, ...}
function display.configure(config)
   if type(config) ~= 'table' then fail 'display.configure: a table expected' end
end
