-- loadcaffe: a network of a row of layers, from the file in which Caffe saved it.
--
-- Arguments: core {fail}, host, the package's table, which has layers(path) of loadcaffe/caffemodel.py.

local core, _, loadcaffe = ...
local fail = core.fail
local layers_of = loadcaffe.layers
loadcaffe.layers = nil

-- A setting that may be said for both sides in one, or for each.
local function sides(settings, name)
   local w, h = settings[name .. '_w'], settings[name .. '_h']
   if w == 0 or h == 0 then return settings[name], settings[name] end
   return w, h
end

local function padding(settings)
   local w, h = settings.pad_w, settings.pad_h
   if w == 0 and h == 0 then return settings.pad, settings.pad end
   return w, h
end

-- A float rounded to a number of decimals.
local function rounded(decimals, x) return tonumber(('%.' .. decimals .. 'f'):format(x)) end

-- Constructors by type: f(package, layer) returns the module. `package` is nn or cudnn.
local make = {}

function make.Convolution(package, layer)
   local c, sizes = layer.convolution, layer.sizes[1]
   local kW, kH = sides(c, 'kernel')
   local dW, dH = sides(c, 'stride')
   local padW, padH = sides(c, 'pad')
   local groups = c.group == 0 and 1 or c.group
   if groups ~= 1 and package == nn then fail("loadcaffe: layer '%s' has groups, which nn has not; use cudnn", layer.name) end
   local extra = package ~= nn and groups or nil
   return package.SpatialConvolution(sizes[2] * groups, sizes[1], kW, kH, dW, dH, padW, padH, extra)
end

function make.Pooling(package, layer)
   local p = layer.pooling
   local kW, kH = sides(p, 'kernel')
   local dW, dH = sides(p, 'stride')
   local padW, padH = padding(p)
   local class = p.pool == 0 and 'SpatialMaxPooling' or p.pool == 1 and 'SpatialAveragePooling'
   if not class then fail("loadcaffe: layer '%s' pools at random, for which the package inn is needed", layer.name) end
   if kW == 0 then fail("loadcaffe: layer '%s' pools over all of an image: not supported", layer.name) end
   return package[class](kW, kH, dW, dH, padW, padH):ceil()
end

function make.InnerProduct(_, layer)
   local sizes = layer.sizes[1]
   return nn.Linear(sizes[#sizes == 4 and 4 or 2], layer.inner.num_output)
end

function make.LRN(package, layer)
   local l = layer.lrn
   return package.SpatialCrossMapLRN(l.local_size, rounded(6, l.alpha), rounded(4, l.beta), rounded(6, l.k))
end

function make.ReLU(package) return package.ReLU(true) end
function make.TanH(package) return package == nn and nn.Tanh() or package.Tanh(true) end
function make.Sigmoid(package) return package == nn and nn.Sigmoid() or package.Sigmoid(true) end
function make.Softmax(package) return package.SoftMax() end
function make.Dropout(_, layer) return nn.Dropout(rounded(6, layer.dropout.ratio)) end
make.SoftmaxWithLoss = make.Softmax

local function say(format, ...) io.write(format:format(...), '\n') end

local function fill(module, layer)
   if not module.weight then return end
   local weight, bias = layer.blobs[1], layer.blobs[2]
   if not bias then fail("loadcaffe: layer '%s' has no bias, which Torch's layers have", layer.name) end
   local expected = module.weight:nElement()
   if weight:nElement() ~= expected then
      fail("loadcaffe: layer '%s' has %d weights where %d are expected", layer.name, weight:nElement(), expected)
   end
   module.weight:copy(weight)
   module.bias:copy(bias)
   local sizes = layer.sizes[1]
   local shown = #sizes == 4 and {sizes[1], sizes[2], sizes[4], sizes[3]} or {1, 1, sizes[2], sizes[1]}
   say('%s: %d %d %d %d', layer.name, unpack(shown))
end

-- loadcaffe.load(prototxt, caffemodel[, backend]): nn.Sequential of the layers, of package 'nn' (the default) or 'cudnn'.
-- The description (prototxt) is not read: the model contains it. The modules have the layers' names in `name`.
function loadcaffe.load(prototxt, path, backend)
   backend = backend or 'nn'
   if backend == 'ccn2' then fail("loadcaffe: there is no package ccn2; use 'nn' or 'cudnn'") end
   local package = require(backend)
   local model = layers_of(path)
   if not model then
      say("Couldn't load %s", path)
      return
   end
   say('Successfully loaded %s', path)
   local net, width = nn.Sequential(), model.inputs
   for _, layer in ipairs(model.layers) do
      -- The original leaves its loop at a softmax of the later form, before it has added that.
      if not model.older and layer.type:find('^Softmax') then break end
      if (layer.type == 'Convolution' or layer.type == 'InnerProduct') and not layer.sizes[1] then
         fail("loadcaffe: layer '%s' has no weights", layer.name)
      end
      local maker = make[layer.type]
      if maker then
         local module = maker(package, layer)
         if layer.type == 'Convolution' then
            width = layer.sizes[1][1]
         elseif layer.type == 'InnerProduct' then
            if width ~= module.weight:size(2) then
               local view = nn.View(-1):setNumInputDims(3)
               view.name = 'torch_view'
               net:add(view)
            end
            width = layer.inner.num_output
         end
         module.name = layer.name
         fill(module, layer)
         net:add(module)
      else
         say("warning: module '%s [type %s]' not found", layer.name, layer.type)
      end
   end
   if backend == 'cudnn' then net:cuda() end
   return net
end
