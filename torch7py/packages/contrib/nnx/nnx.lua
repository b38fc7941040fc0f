-- Methods of nnx's classes that change the Lua tables of a module.

-- m:add(module): adds to the classifier, which is a container.
function nn.SpatialClassifier:add(module) self.classifier:add(module) end
