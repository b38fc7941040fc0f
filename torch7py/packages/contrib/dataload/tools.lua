-- dataload's tools: files, texts, numbers, and tables as text.
--
-- Arguments: core {fail}, dl. Functions on tables are added to Lua's `table`, as in the original.

local core, dl = ...
local fail = core.fail
local ipairs, pairs, type, tostring = ipairs, pairs, type, tostring
local torch, paths, lfs = torch, paths, lfs

---------------------------------------------------------------------------------------------------------
-- Files. Nothing is downloaded: a file that is missing is an error.

-- dl.withcwd(folder, f): f() within a folder.
function dl.withcwd(folder, f)
   local before = lfs.currentdir()
   lfs.chdir(folder)
   local result = f()
   lfs.chdir(before)
   return result
end

-- dl.downloadfile(folder, url[, file]): the folder, if it has the file, by default the last part of the address.
function dl.downloadfile(folder, url, file)
   local download = paths.concat(folder, paths.basename(url))
   if not (file and paths.filep(file)) and not paths.filep(download) then
      fail('%s is missing, and nothing is downloaded here: it comes from %s', file or download, url)
   end
   return folder
end

local function quoted(name) return "'" .. name:gsub("'", "'\\''") .. "'" end

local function target(folder)
   folder = folder or '.'
   paths.mkdir(folder)
   return quoted(folder)
end

function dl.untar(archive, folder)
   local options = archive:match('%.tar$') and '-xf' or '-xzf'
   os.execute(('tar %s %s -C %s'):format(options, quoted(archive), target(folder)))
end

function dl.unzip(archive, folder) os.execute(('unzip -q %s -d %s'):format(quoted(archive), target(folder))) end

function dl.gunzip(archive, folder)
   if folder then fail('dl.gunzip: it unpacks beside the file') end
   os.execute('gunzip ' .. quoted(archive))
end

-- dl.decompressfile(folder, archive[, file[, verbose[, where]]]): unpacks .zip, .tar, .tgz and .gz within the folder,
-- unless the file exists.
function dl.decompressfile(folder, archive, file, verbose, where)
   paths.mkdir(folder)
   if file and paths.filep(file) then return end
   if verbose then print('decompressing file: ', archive) end
   local unpack_it = archive:find('.zip', 1, true) and dl.unzip
      or (archive:find('.tar', 1, true) or archive:find('.tgz', 1, true)) and dl.untar
      or archive:find('.gz', 1, true) and dl.gunzip
      or fail("Don't know how to decompress file: %s", archive)
   dl.withcwd(folder, function() unpack_it(archive, where) end)
end

-- dl.load(path): a file of torch.save, in the ASCII or the binary format.
function dl.load(path)
   if not paths.filep(path) then fail('%s is missing', path) end
   local ok, data = pcall(torch.load, path, 'ascii')
   return ok and data or torch.load(path, 'binary')
end

---------------------------------------------------------------------------------------------------------
-- Numbers.

-- dl.rescale(x, min, max[, from_min[, from_max]]): in place, from one range into another.
function dl.rescale(x, min, max, from_min, from_max)
   from_min = from_min or x:min()
   local range = (from_max or x:max()) - from_min
   return x:add(-from_min):mul(max - min):mul(1 / range):add(min)
end

-- dl.binarize(x, threshold): in place, 0 below it and 1 from it on.
function dl.binarize(x, threshold)
   x[x:lt(threshold)] = 0
   x[x:ge(threshold)] = 1
   return x
end

---------------------------------------------------------------------------------------------------------
-- Texts.

-- dl.buildVocab(words[, least]): tables word -> number, number -> word and word -> how often. Numbers are given in the
-- order of the words. Words seen less often than `least` share the last number, as '<OOV>'.
function dl.buildVocab(words, least)
   if torch.type(words) ~= 'table' or torch.type(words[1]) ~= 'string' then
      fail('dl.buildVocab: a table of strings expected')
   end
   local counts, known = {}, {}
   for i = 1, #words do
      local word = words[i]
      if not counts[word] then known[#known + 1] = word end
      counts[word] = (counts[word] or 0) + 1
   end
   table.sort(known)
   local vocab, ivocab, rare = {}, {}, 0
   local function add(word)
      ivocab[#ivocab + 1] = word
      vocab[word] = #ivocab
   end
   for _, word in ipairs(known) do
      if counts[word] >= (least or -1) then add(word) else rare = rare + counts[word] end
   end
   if rare > 0 then
      add('<OOV>')
      counts['<OOV>'] = rare
   end
   return vocab, ivocab, counts
end

-- dl.text2tensor(words, vocab): their numbers, an IntTensor.
function dl.text2tensor(words, vocab)
   local numbers = torch.IntTensor(#words)
   for i, word in ipairs(words) do
      numbers[i] = vocab[word] or vocab['<OOV>'] or fail("dl.text2tensor: '%s' is not in the vocabulary", word)
   end
   return numbers
end

-- dl.splitString(text[, characters]): the parts between them; ':' by default.
function dl.splitString(text, characters)
   local parts = {}
   for part in text:gmatch('([^' .. (characters or ':') .. ']+)') do parts[#parts + 1] = part end
   return parts
end

function dl.getNumberOfLines(name)
   local count = 0
   for _ in io.lines(name) do count = count + 1 end
   return count
end

-- dl.buildBigrams(loader): for each word of a loader of words the words that follow, a table of
-- {index = LongTensor, prob = FloatTensor}.
function dl.buildBigrams(loader)
   local followers = {}
   for _, inputs, targets in loader:subiter(1) do
      if inputs:dim() ~= 2 or targets:dim() ~= 2 then fail('dl.buildBigrams: a loader of sequences of words expected') end
      for i = 1, inputs:size(2) do
         local word, follower = inputs[{1, i}], targets[{1, i}]
         local counts = followers[word] or {}
         followers[word] = counts
         counts[follower] = (counts[follower] or 0) + 1
      end
   end
   local bigrams = {}
   for word, counts in pairs(followers) do
      local index, prob, sum = {}, {}, 0
      for follower, count in pairs(counts) do
         index[#index + 1], prob[#prob + 1], sum = follower, count, sum + count
      end
      bigrams[word] = {index = torch.LongTensor(index), prob = torch.FloatTensor(prob):div(sum)}
   end
   return bigrams
end

---------------------------------------------------------------------------------------------------------
-- Names.

function dl.hostname()
   local command = io.popen('/bin/hostname')
   if not command then return 'localhost' end
   local name = command:read('*a') or ''
   command:close()
   return (name:gsub('\n$', ''))
end

-- dl.uniqueid([namespace[, separator]]): namespace (the name of the machine), time and a running number.
local serial = 0
function dl.uniqueid(namespace, separator)
   serial = serial + 1
   return table.concat({namespace or dl.hostname(), os.time(), serial}, separator or ':')
end

---------------------------------------------------------------------------------------------------------
-- Tables as text.

function _G.table.val_to_str(value)
   if type(value) == 'table' then return table.tostring(value) end
   if type(value) ~= 'string' then return tostring(value) end
   value = value:gsub('\n', '\\n')
   if value:gsub('[^\'"]', ''):match('^"+$') then return "'" .. value .. "'" end
   return '"' .. value:gsub('"', '\\"') .. '"'
end

function _G.table.key_to_str(key)
   if type(key) == 'string' and key:match('^[_%a][_%a%d]*$') then return key end
   return '[' .. table.val_to_str(key) .. ']'
end

-- table.tostring(t[, lines[, sorted]]): as a constructor; with `lines` an entry a line.
function _G.table.tostring(t, lines, sorted)
   local entries, listed = {}, {}
   for i, value in ipairs(t) do entries[i], listed[i] = table.val_to_str(value), true end
   for key, value in pairs(t) do
      if not listed[key] then
         entries[#entries + 1] = table.key_to_str(key) .. (lines and ' : ' or '=') .. table.val_to_str(value)
      end
   end
   if sorted then table.sort(entries) end
   if lines then return '{\n   ' .. table.concat(entries, '\n   ') .. '\n}' end
   return '{' .. table.concat(entries, ',') .. '}'
end

function _G.table.print(t)
   if torch.type(t) ~= 'table' then fail('table.print: a table expected, not a %s', torch.type(t)) end
   print(table.tostring(t, true, true))
end
