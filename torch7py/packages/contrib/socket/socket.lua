-- socket: the clock of LuaSocket. There are no connections.
--
-- Arguments: core {fail}, host, socket. The package sys is loaded before.

local core, _, socket = ...
local fail = core.fail
local sys = sys

function socket.gettime() return sys.clock() end

function socket.sleep(seconds) if seconds > 0 then sys.usleep(seconds * 1e6) end end

for _, name in ipairs {'bind', 'connect', 'select', 'tcp', 'udp'} do
   socket[name] = function() fail('socket.%s: there are no connections here, only socket.gettime and socket.sleep', name) end
end
