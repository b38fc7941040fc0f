-- Runs one of upstream's test files as it is and notes what becomes of each of its tests.
--
-- Arguments: the file to write notes to; the test file; Lua that starts its tests, '' when the file does; and lists,
-- an entry a line: name patterns of the tests to run (none: all), names of tests to leave out, packages to require,
-- folders to find modules in.
--
-- Notes are lines of fields with tabs between: `start NAME`, `end NAME OUTCOME SECONDS MESSAGE`, `stopped MESSAGE`
-- where the file itself failed, `done`.

local notes, file, start, only, skip, packages, folders = unpack(arg)

local function lines(text)
   local list = {}
   for line in text:gmatch('[^\n]+') do list[#list + 1] = line end
   return list
end

only, packages, folders = lines(only), lines(packages), lines(folders)
local skipped = {}
for _, name in ipairs(lines(skip)) do skipped[name] = true end

local out = assert(io.open(notes, 'a'))
local ESCAPES = {['\\'] = '\\\\', ['\n'] = '\\n', ['\t'] = '\\t', ['\r'] = '\\r'}

local function note(...)
   local fields = {...}
   for i = 1, select('#', ...) do fields[i] = tostring(fields[i]):gsub('[\\\n\t\r]', ESCAPES) end
   out:write(table.concat(fields, '\t'), '\n')
   out:flush()
end

---------------------------------------------------------------------------------------------------------
-- torch.Tester tells. A test may itself run testers; only what the outermost one does counts.

local Tester = torch.getmetatable('torch.Tester')
local run, get_tests, call = Tester.run, Tester._getTests, Tester._pcall
local clock, depth = sys.clock, 0
local times, labels = {}, {}   -- how often a test has been chosen, what it is called this time

local function wanted(name)
   if skipped[name] then return false end
   for _, pattern in ipairs(only) do
      if name:match(pattern) then return true end
   end
   return #only == 0
end

function Tester:_getTests(names)
   local tests = get_tests(self, names)
   if depth ~= 1 then return tests end
   local chosen = {}
   for name, f in pairs(tests) do
      local label = tostring(name)
      times[label] = (times[label] or 0) + 1
      if times[label] > 1 then label = ('%s (%d)'):format(label, times[label]) end
      labels[name] = label
      if wanted(label) then chosen[name] = f end
   end
   return chosen
end

function Tester:_pcall(f)
   if depth ~= 1 then return call(self, f) end
   local name, before, began = labels[self._currentTestName], #self.errors, clock()
   note('start', name)
   local ok, result, pass = call(self, f)
   local outcome = not ok and 'error' or pass and 'passed' or 'failed'
   note('end', name, outcome, ('%.3f'):format(clock() - began), table.concat(self.errors, '\n', before + 1))
   return ok, result, pass
end

local function leave(ok, ...)
   depth = depth - 1
   if not ok then error((...), 0) end
   return ...
end

function Tester:run(names)
   depth = depth + 1
   return leave(pcall(run, self, names))
end

---------------------------------------------------------------------------------------------------------

for _, folder in ipairs(folders) do package.path = ('%s/?.lua;%s/?/init.lua;%s'):format(folder, folder, package.path) end
for _, name in ipairs(packages) do require(name) end
arg = {[0] = file}

local ok, err = xpcall(function()
   dofile(file)
   if start ~= '' then assert(loadstring(start))() end
end, function(err)
   return tostring(err)
end)
if not ok then note('stopped', err) end
note('done')
os.exit(ok and 0 or 1)
