-- xlua.Profiler: times of named parts of a program.
--
-- Arguments: core {fail}, xlua. The package sys is loaded before.

local core, xlua = ...
local fail, sys = core.fail, sys
local Profiler = {}

-- xlua.Profiler([mode[, verbose]]): with the mode 'off' nothing is printed.
function xlua.Profiler(mode, verbose)
   local profiler = {events = {}, list = {}, off = mode == 'off', verbose = verbose or false}
   for name, method in next, Profiler do profiler[name] = method end
   return profiler
end

local function event_of(self, name)
   local event = self.events[name]
   if not event then fail("profiler: nothing is called '%s'; start it first", tostring(name)) end
   return event
end

-- p:start(name[, 'fps']): start timing a part.
function Profiler:start(name, fps)
   local event = self.events[name]
   if not event then
      event = {name = name}
      self.events[name] = event
      table.insert(self.list, event)
   end
   event.cpu, event.real = os.clock(), sys.clock()
   if fps == 'fps' then event.fps = true end
   if self.verbose then
      io.write('<' .. name .. '>')
      io.flush()
   end
end

function Profiler:setColor(name, color) event_of(self, name).color = color end

-- Seconds of processor and of real time since the start, divided by a number.
function Profiler:cpu(name, divider)
   local event = event_of(self, name)
   event.cpud = (os.clock() - event.cpu) / (divider or 1)
   return event.cpud
end

function Profiler:real(name, divider)
   local event = event_of(self, name)
   event.reald = (sys.clock() - event.real) / (divider or 1)
   return event.reald
end

function Profiler:lap(name, divider)
   local real, cpu = self:real(name, divider), self:cpu(name, divider)
   if self.verbose then
      io.write('\r')
      self:print(name)
   end
   return real, cpu
end

function Profiler:format(name)
   local event = event_of(self, name)
   return ('$ real | cpu: %f | %f <%s>'):format(event.reald or -1, event.cpud or -1, name)
end

function Profiler:print(name)
   if not self.off then print(self:format(name)) end
end

function Profiler:formatAll()
   local lines = {'$ profiler report:'}
   for _, event in ipairs(self.list) do
      local line = ('$ real %f | cpu %f <%s>'):format(event.reald or -1, event.cpud or -1, event.name)
      lines[#lines + 1] = event.fps and ('%s = %f fps'):format(line, 1 / event.reald) or line
   end
   return table.concat(lines, '\n')
end

function Profiler:printAll()
   if not self.off then print(self:formatAll()) end
end

function Profiler:displayAll()
   fail('profiler: displayAll draws with Qt, which is not supported; use printAll')
end
