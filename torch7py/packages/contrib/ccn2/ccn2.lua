-- ccn2: the layers that are not there.
--
-- Arguments: core {fail}, host, ccn2.

local core, _, ccn2 = ...

for _, name in ipairs {'SpatialContrastNormalization', 'SpatialResizeBilinear', 'SpatialResponseNormalization'} do
   ccn2[name] = function() core.fail('ccn2.%s is not supported', name) end
end
