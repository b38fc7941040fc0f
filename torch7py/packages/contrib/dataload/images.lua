-- dl.ImageClass and dl.MultiImageSequence: images that are read when a batch asks for them.
--
-- Arguments: core {fail, files_under, rows_of_names, name_of_row}, dl. Files are read by graphicsmagick.

local core, dl = ...
local fail = core.fail
local ipairs, pairs, require, type, unpack = ipairs, pairs, require, type, unpack
local ceil, max, min = math.ceil, math.max, math.min
local torch, paths, lfs = torch, paths, lfs

local function check(holds, what)
   if not holds then fail('dataload: %s', what) end
end

-- An image from a file, scaled so that its smaller side has the smaller of the given lengths.
local function load_image(path, width, height)
   return require('graphicsmagick').Image(path, width, height):size(nil, min(width, height))
end

local function planes(picture, size)
   return picture:toTensor('float', size[1] == 1 and 'I' or 'RGB', 'DHW')
end

local function scaled(dst, picture, size)
   local values = planes(picture, size)
   image.scale(dst:resize(values:size(1), size[2], size[3]), values)
   return dst
end

-- dst and path, of which the first may be missing.
local function destination(dst, path)
   if not path then dst, path = nil, dst end
   return dst or torch.FloatTensor(), path
end

-- A method by its name, or a function.
local function sampler(self, f)
   f = f or self.samplefunc
   return type(f) == 'string' and self[f] or f
end

---------------------------------------------------------------------------------------------------------
-- dl.ImageClass(folders, load size[, sample size[, sampler[, order[, verbose[, no file[, no path]]]]]]): images in a
-- folder for each class. Sizes are {planes, height, width}; `order` compares names of classes; files and paths that
-- fit a pattern of the shell's are left out.

local ImageClass = torch.class('dl.ImageClass', 'dl.DataLoader', dl)

function ImageClass:__init(folders, loadsize, samplesize, samplefunc, sortfunc, verbose, no_file, no_path)
   self.datapath = type(folders) == 'string' and {folders} or folders
   self.loadsize, self.samplesize = loadsize, samplesize or loadsize
   check(torch.type(self.datapath) == 'table', 'the name of a folder, or a table of them, expected')
   check(torch.type(self.loadsize) == 'table' and torch.type(self.samplesize) == 'table', 'tables expected as sizes')
   self.samplefunc, self.sortfunc = samplefunc or 'sampleDefault', sortfunc
   self.verbose = verbose == nil or verbose
   self.classes, self.iclasses = {}, {}
   local paths_of = {}
   for _, folder in ipairs(self.datapath) do
      for name in lfs.dir(folder) do
         local path = paths.concat(folder, name)
         if name:sub(1, 1) ~= '.' and paths.dirp(path) then
            if not paths_of[name] then self.classes[#self.classes + 1] = name end
            paths_of[name] = paths_of[name] or {}
            table.insert(paths_of[name], path)
         end
      end
   end
   table.sort(self.classes, sortfunc)
   if self.verbose then print('found ' .. #self.classes .. ' classes') end
   local names, ends = {}, {}
   for number, class in ipairs(self.classes) do
      self.iclasses[class] = number
      for _, path in ipairs(paths_of[class]) do
         for _, name in ipairs(core.files_under(path, nil, no_file, no_path)) do names[#names + 1] = name end
      end
      ends[number] = #names
      check(#names > (ends[number - 1] or 0), 'Class has zero samples: ' .. class)
   end
   check(#names > 0, 'Could not find any image file in the given input paths')
   self.imagePath, self.imageClass = core.rows_of_names(names), torch.LongTensor(#names)
   self.nsample, self.classList = #names, {}
   for number, last in ipairs(ends) do
      local first = (ends[number - 1] or 0) + 1
      self.classList[number] = torch.range(first, last):long()
      self.imageClass:narrow(1, first, last - first + 1):fill(number)
   end
   self.classListSample = self.classList
end

function ImageClass:reset()
   dl.DataLoader.reset(self)
   self.imgBuffers = nil
end

-- loader:size([class[, lists]]): of all, or of a class by its number or name.
function ImageClass:size(class, lists)
   if not class then return self.imagePath:size(1) end
   return (lists or self.classList)[type(class) == 'string' and self.iclasses[class] or class]:size(1)
end

function ImageClass:getImageBuffer(i)
   self.imgBuffers = self.imgBuffers or {}
   self.imgBuffers[i] = self.imgBuffers[i] or torch.FloatTensor()
   return self.imgBuffers[i]
end

-- A batch of images by their numbers, of given classes.
local function batch(self, numbers, classes, inputs, targets, samplefunc)
   local f = sampler(self, samplefunc)
   local samples, names = {}, {}
   for i, number in ipairs(numbers) do
      names[i] = core.name_of_row(self.imagePath[number])
      samples[i] = f(self, self:getImageBuffer(i), names[i])
   end
   inputs, targets = self:tableToTensor(samples, classes, inputs or torch.FloatTensor(), targets or torch.LongTensor())
   self:collectgarbage()
   return inputs, targets, names
end

-- loader:index(indices[, inputs[, targets[, sampler]]]): inputs, targets and the names of the files.
function ImageClass:index(indices, ...)
   local numbers, classes = indices:totable(), {}
   for i, number in ipairs(numbers) do classes[i] = self.imageClass[number] end
   return batch(self, numbers, classes, ...)
end

-- loader:sample(count[, inputs[, targets[, sampler]]]): for each a random class, and a random image of it.
function ImageClass:sample(count, ...)
   local numbers, classes = {}, {}
   for i = 1, count do
      classes[i] = torch.random(1, #self.classes)
      local list = self.classListSample[classes[i]]
      numbers[i] = list[torch.random(1, list:nElement())]
   end
   return batch(self, numbers, classes, ...)
end

-- Samples, each one image or several, as rows.
function ImageClass:tableToTensor(samples, classes, inputs, targets)
   local count = #classes
   local each = samples[1]:dim() == 3 and 1 or samples[1]:size(1)
   inputs:resize(count, each, unpack(self.samplesize))
   targets:resize(count, each)
   for i = 1, count do
      inputs[i]:copy(samples[i])
      targets[i]:fill(classes[i])
   end
   return inputs:resize(count * each, unpack(self.samplesize)), targets:resize(count * each)
end

function ImageClass:loadImage(path) return load_image(path, self.loadsize[3], self.loadsize[2]) end

-- Samplers are called with a tensor that they may fill, and a path. This one takes the complete image.
function ImageClass:sampleDefault(...)
   local dst, path = destination(...)
   return scaled(dst, self:loadImage(path), self.samplesize)
end

-- A random part, flipped with probability 1/2.
function ImageClass:sampleTrain(...)
   local dst, path = destination(...)
   local picture = self:loadImage(path)
   local width, height = picture:size()
   local w, h = self.samplesize[3], self.samplesize[2]
   local y = ceil(torch.uniform(0, height - h))
   local x = ceil(torch.uniform(0, width - w))
   picture:crop(w, h, x, y)
   if torch.uniform() > 0.5 then picture:flop() end
   local values = planes(picture, self.samplesize)
   return dst:resizeAs(values):copy(values)
end

-- or ten parts: the middle and the corners, and each turned over.
function ImageClass:sampleTest(...)
   local dst, path = destination(...)
   local values = planes(self:loadImage(path), self.samplesize)
   local w, h = self.samplesize[3], self.samplesize[2]
   local right, bottom = values:size(3) - w, values:size(2) - h
   dst:resize(10, self.samplesize[1], h, w)
   local corners = {{ceil(right / 2), ceil(bottom / 2)}, {0, 0}, {right, 0}, {0, bottom}, {right, bottom}}
   for i, corner in ipairs(corners) do
      local part = dst[2 * i - 1]
      part:copy(values:narrow(3, corner[1] + 1, w):narrow(2, corner[2] + 1, h))
      image.hflip(dst[2 * i], part)
   end
   return dst
end

---------------------------------------------------------------------------------------------------------
-- dl.MultiImageSequence(folder, batchsize, load sizes[, sample size[, sampler[, verbose]]]): sequences of pairs of
-- images, input1.jpg and target1.jpg, input2.jpg, ..., each in a separate folder, one after the other in columns with a
-- step of zeros before each. Load sizes are {of inputs, of targets}. Fields: inputpattern and targetpattern, cropeverystep,
-- varyloadsize, scaleeverystep, randseq.

local MultiImageSequence = torch.class('dl.MultiImageSequence', 'dl.DataLoader', dl)

function MultiImageSequence:__init(folder, batchsize, loadsize, samplesize, samplefunc, verbose)
   check(type(folder) == 'string', 'the name of a folder expected')
   check(type(batchsize) == 'number', 'a number expected as batch size')
   check(type(loadsize) == 'table' and type(loadsize[1]) == 'table' and type(loadsize[2]) == 'table',
         'sizes of inputs and of targets expected to load')
   self.datapath, self.batchsize, self.loadsize = folder, batchsize, loadsize
   local inputs, targets = loadsize[1], loadsize[2]
   local sample = samplesize or loadsize
   check(type(sample[1]) == 'number', 'a sample size of inputs alone expected')
   check(sample[2] <= inputs[2] and sample[3] <= inputs[3], 'samples are no larger than what is loaded')
   -- in proportion; the width of targets is limited by their height, as in the original
   local function part(d) return min(targets[2], max(1, torch.round(sample[d] * targets[d] / inputs[d]))) end
   self.samplesize = {sample, {targets[1], part(2), part(3)}}
   self.samplefunc, self.verbose = samplefunc or 'sampleDefault', verbose == nil or verbose
   self.inputpattern, self.targetpattern = 'input%d.jpg', 'target%d.jpg'
   self.cropeverystep, self.varyloadsize, self.scaleeverystep, self.randseq = false, false, false, false
   self:reset()
end

-- loader:buildIndex([cache[, overwrite]]): finds the sequences, or reads them from the file of the last time.
function MultiImageSequence:buildIndex(cache, overwrite)
   if cache and not overwrite and paths.filep(cache) then
      for name, value in pairs(torch.load(cache, 'ascii')) do self[name] = value end
   else
      local lengths, order = {}, {}
      for _, path in ipairs(core.files_under(self.datapath, nil, 'target*')) do
         local folder, number = path:match('/([^/]+)/input(%d+)%.[^/]+$')
         if folder then
            if not lengths[folder] then order[#order + 1], lengths[folder] = folder, {} end
            lengths[folder][tonumber(number)] = true
         end
      end
      self.seqdirs, self.nframe = {}, 0
      for _, folder in ipairs(order) do
         local count = #lengths[folder]
         if count > 0 then
            table.insert(self.seqdirs, {folder, count})
            self.nframe = self.nframe + count
         end
      end
      check(#self.seqdirs > 0, 'there are no sequences of images in ' .. self.datapath)
      self.seqlen = ceil((self.nframe + #self.seqdirs) / self.batchsize)
      if cache then
         torch.save(cache, {seqdirs = self.seqdirs, nframe = self.nframe, seqlen = self.seqlen}, 'ascii')
      end
   end
   if self.verbose then
      print(('Found %d sequences with a total of %d frames'):format(#self.seqdirs, self.nframe))
   end
end

function MultiImageSequence:reset()
   dl.DataLoader.reset(self)
   self.trackers = {nextseq = 1}
end

function MultiImageSequence:size()
   if not self.seqdirs then self:buildIndex() end
   return self.seqlen
end

for name, index in pairs{isize = 1, tsize = 2} do
   MultiImageSequence[name] = function(self, without)
      check(without == nil or without == 1, 'sizes of a step expected')
      return {unpack(self.samplesize[index])}
   end
end

local function next_sequence(self)
   if self.randseq then return math.random(1, #self.seqdirs) end
   local number = self.trackers.nextseq
   self.trackers.nextseq = number < #self.seqdirs and number + 1 or 1
   return number
end

-- One column, which continues its sequence.
local function fill(self, cursor, inputs, targets, f)
   local at, steps = 1, inputs:size(1)
   while at <= steps do
      if not cursor.seqid then
         cursor.seqid, cursor.idx = next_sequence(self), 1
         inputs[at]:zero()
         targets[at]:zero()
         at = at + 1
      end
      if at <= steps then
         local folder, count = unpack(self.seqdirs[cursor.seqid])
         local function path(pattern) return paths.concat(self.datapath, folder, pattern:format(cursor.idx)) end
         local input, target = path(self.inputpattern), path(self.targetpattern)
         if cursor.idx == count then cursor.seqid = nil end
         f(self, inputs[at], targets[at], input, target, cursor)
         cursor.idx, at = cursor.idx + 1, at + 1
      end
   end
end

-- loader:sub(first, last[, inputs[, targets[, sampler]]]): the next steps of all columns.
function MultiImageSequence:sub(first, last, inputs, targets, samplefunc)
   if not self.seqdirs then self:buildIndex() end
   local steps, f = last - first + 1, sampler(self, samplefunc)
   inputs = inputs or torch.FloatTensor()
   targets = targets or inputs.new()
   inputs:resize(steps, self.batchsize, unpack(self.samplesize[1])):zero()
   targets:resize(steps, self.batchsize, unpack(self.samplesize[2])):zero()
   for i = 1, self.batchsize do
      self.trackers[i] = self.trackers[i] or {}
      fill(self, self.trackers[i], inputs:select(2, i), targets:select(2, i), f)
   end
   self:collectgarbage()
   return inputs, targets
end

-- The image of an input (1) or a target (2). With varyloadsize its size is drawn, for all of a sequence or each step.
function MultiImageSequence:loadImage(path, which, cursor)
   local size, sample = self.loadsize[which], self.samplesize[which]
   local width, height = size[3], size[2]
   if self.varyloadsize then
      if self.scaleeverystep or cursor.idx == 1 then
         cursor.lW, cursor.lH = cursor.lW or {}, cursor.lH or {}
         if which == 1 then cursor.scale = math.random() end
         cursor.lW[which] = torch.round(sample[3] + cursor.scale * (width - sample[3]))
         cursor.lH[which] = torch.round(sample[2] + cursor.scale * (height - sample[2]))
      end
      width, height = cursor.lW[which], cursor.lH[which]
   end
   return load_image(path, width, height)
end

-- Samplers fill a pair of images. This one takes the complete images.
function MultiImageSequence:sampleDefault(input, target, input_path, target_path, cursor)
   scaled(input, self:loadImage(input_path, 1, cursor), self.samplesize[1])
   scaled(target, self:loadImage(target_path, 2, cursor), self.samplesize[2])
   return input, target
end

-- or with the same part of both, which is drawn for a sequence (or each step, with cropeverystep).
function MultiImageSequence:sampleTrain(input, target, input_path, target_path, cursor)
   local pictures = {self:loadImage(input_path, 1, cursor), self:loadImage(target_path, 2, cursor)}
   if cursor.idx == 1 or self.cropeverystep then cursor.cH, cursor.cW = math.random(), math.random() end
   for i, dst in ipairs{input, target} do
      local width, height = pictures[i]:size()
      local w, h = self.samplesize[i][3], self.samplesize[i][2]
      pictures[i]:crop(w, h, ceil(cursor.cW * (width - w)), ceil(cursor.cH * (height - h)))
      dst:copy(planes(pictures[i], self.samplesize[i]))
   end
   return input, target
end

---------------------------------------------------------------------------------------------------------
-- dl.loadImageNet(folder[, nthread[, load size[, sample size[, verbose]]]]): the loaders to train and to validate with.
-- Classes are in the order of the numbers in their names.

function dl.loadImageNet(folder, nthread, loadsize, samplesize, verbose)
   check(type(folder) == 'string' and paths.dirp(folder), 'the folder with the data of ILSVRC2012 expected')
   if verbose == nil then verbose = true end
   local function by_number(a, b) return tonumber(a:match('[0-9]+')) < tonumber(b:match('[0-9]+')) end
   local loaders = {}
   for _, set in ipairs{{'train', 'sampleTrain'}, {'val', 'sampleTest'}} do
      local name, samplefunc = unpack(set)
      local images = dl.ImageClass(paths.concat(folder, 'ILSVRC2012_img_' .. name), loadsize or {3, 256, 256},
                                   samplesize or {3, 224, 224}, samplefunc, by_number, verbose)
      loaders[name] = dl.AsyncIterator(images, nthread or 2)
   end
   local info = paths.concat(folder, 'metadata', 'classInfo.th7')
   if paths.filep(info) then
      local classinfo = torch.load(info)
      loaders.train.classinfo, loaders.val.classinfo = classinfo, classinfo
   elseif verbose then
      print('ImageNet: skipping ' .. info)
   end
   return loaders.train, loaders.val
end
