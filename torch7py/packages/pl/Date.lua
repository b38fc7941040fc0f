-- pl.Date: a moment, as seconds and as year, month, day, hour, min and sec; Date.Interval: a time between two.
--
-- Arguments: core {fail}, host. Result: the class.

local core = ...
local fail = core.fail
local class = require 'pl.class'
local type, pairs, getmetatable, select, math = type, pairs, getmetatable, select, math
local clock, written = os.time, os.date

local Date = class()

-- Date([t[, utc]]): now, or of seconds, of another Date, of a table of parts (what is missing is today's), or of the
-- numbers year, month, day[, hour, min, sec]. 'utc' is now by UTC; of seconds it is by UTC unless the second is false.
function Date:_init(t, ...)
   local count = select('#', ...)
   if count > 1 then
      local month, day, hour, min, sec = ...
      t = {year = t, month = month, day = day, hour = hour, min = min, sec = sec}
   elseif count == 1 then
      self.utc = (...) == true
   end
   if type(t) == 'number' then
      self.utc = self.utc ~= false
      self:set(t)
   elseif t == nil or t == 'utc' then
      self.utc = t ~= nil
      self:set(clock())
   elseif type(t) == 'table' and getmetatable(t) == Date then
      self.utc = t.utc
      self:set(t.time)
   elseif type(t) == 'table' then
      local today, parts = written '*t', {}
      for name, value in pairs(t) do parts[name] = value end
      if not (t.year or t.month or t.day) then parts.month, parts.day = today.month, today.day end
      parts.year = parts.year or today.year
      parts.month = parts.month or (parts.day and today.month or 1)
      parts.day = parts.day or 1
      self:set(clock(parts))
   else
      fail('pl.Date: a number or a table expected, not a %s', type(t))
   end
end

function Date:set(seconds)
   self.time = seconds
   self.tab = written(self.utc and '!*t' or '*t', seconds)
end

-- Seconds by which the time here is before UTC.
function Date.tzone(at)
   if type(at) == 'table' then
      if at.utc then return 0 end
      at = at.time
   end
   at = at or clock()
   local there = written('!*t', at)
   there.isdst = written('*t', at).isdst
   return os.difftime(at, clock(there))
end

function Date:toUTC()
   local date = Date(self)
   date.utc = true
   date:set(self.time)
   return date
end

function Date:toLocal()
   local date = Date(self)
   date.utc = false
   date:set(self.time)
   return date
end

-- d:year() and so on: the part; with a number it becomes that.
for _, part in ipairs {'year', 'month', 'day', 'hour', 'min', 'sec', 'yday'} do
   Date[part] = function(self, value)
      if value == nil then return self.tab[part] end
      if type(value) ~= 'number' then fail('pl.Date:%s: a number expected, not a %s', part, type(value)) end
      self.tab[part] = value
      local parts = self.tab
      self:set(clock(parts) + (self.utc and Date.tzone(clock(parts)) or 0))
   end
end

local function named(self, format) return written((self.utc and '!' or '') .. format, self.time) end

function Date:weekday_name(full) return named(self, full and '%A' or '%a') end
function Date:month_name(full) return named(self, full and '%B' or '%b') end
function Date:is_weekend() return self.tab.wday == 1 or self.tab.wday == 7 end

-- d:add(interval), or d:add{day = 1}: later by that; months and years by the calendar.
function Date:add(by)
   if getmetatable(by) == Date.Interval then
      self:set(self.time + by.time)
   elseif type(by) == 'table' then
      for part, value in pairs(by) do self[part](self, self.tab[part] + value) end
   else
      fail('pl.Date:add: an interval or a table expected, not a %s', type(by))
   end
   return self
end

-- d:last_day(): the last day of its month.
function Date:last_day()
   local month = self.tab.month
   self:day(28)
   while self.tab.month == month do self:add {day = 1} end
   return self:add {day = -1}
end

function Date:diff(other)
   local seconds = self.time - other.time
   if seconds < 0 then fail 'pl.Date:diff: the other date is later' end
   return Date.Interval(seconds)
end

Date.__sub = Date.diff
function Date:__add(by) return Date(self):add(by) end

function Date:__tostring()
   local text, zone = named(self, '%Y-%m-%dT%H:%M:%S'), self:tzone()
   if zone == 0 then return text .. 'Z' end
   local minutes = math.abs(zone) / 60
   text = ('%s%s%02d'):format(text, zone > 0 and '+' or '-', math.floor(minutes / 60))
   return minutes % 60 == 0 and text or ('%s:%02d'):format(text, minutes % 60)
end

function Date:__eq(other) return self.time == other.time end
function Date:__lt(other) return self.time < other.time end
function Date:__le(other) return self.time <= other.time end

function Date.Format() fail "Penlight's pl.Date.Format is not supported" end

local Interval = class(Date)
Date.Interval = Interval

-- Date.Interval(seconds): its parts count from 0.
function Interval:_init(seconds)
   self.time = seconds
   self.utc = true
   self.tab = written('!*t', seconds)
   self.tab.year, self.tab.month, self.tab.day = self.tab.year - 1970, self.tab.month - 1, self.tab.day - 1
end

function Interval:__tostring()
   local parts = {}
   for _, name in ipairs {'year', 'month', 'day', 'hour', 'min', 'sec'} do
      local value = self.tab[name]
      if value > 0 then parts[#parts + 1] = ('%d %s%s'):format(value, name, value > 1 and 's' or '') end
   end
   return #parts > 0 and table.concat(parts, ' ') or 'zero'
end

return Date
