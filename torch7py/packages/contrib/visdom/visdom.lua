-- visdom: a program that shows its plots in a browser runs, and shows none. There is no connection to a server.
--
-- Arguments: core {fail}, host, visdom.

local core, _, visdom = ...
local fail = core.fail
local type, ipairs, setmetatable = type, ipairs, setmetatable
local notified, windows = false, 0

local client = torch.class('visdom.client', visdom)

-- visdom{server, port, ...}
function client:__init(config)
   if config ~= nil and type(config) ~= 'table' then fail 'visdom: a table expected' end
   for key, value in pairs(config or {}) do self[key] = value end
end

function client:check_connection() return false end

local SHOWN = 'text image images video svg scatter line heatmap bar histogram boxplot surf contour quiver stem pie mesh '
              .. 'plot updateTrace update_window_opts'

for name in SHOWN:gmatch('%S+') do
   -- plot:name{...}, or without names: the window that was asked for, or a new one
   client[name] = function(_, options)
      if not notified then
         notified = true
         io.stderr:write('visdom: nothing is shown here; image.save and gnuplot make files\n')
      end
      windows = windows + 1
      return type(options) == 'table' and options.win or 'window_' .. windows
   end
end

for _, name in ipairs {'close', 'save', 'delete_env', 'fork_env'} do client[name] = function() end end

setmetatable(visdom, {__call = function(_, config) return visdom.client(config) end})
