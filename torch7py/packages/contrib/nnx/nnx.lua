-- What nnx's classes do through Lua's own side of a module.

-- m:add(module): to the classifier, which is a container with a table of modules of its own.
function nn.SpatialClassifier:add(module) self.classifier:add(module) end
