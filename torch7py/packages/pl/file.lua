-- pl.file: contents, times and names of files.
--
-- Arguments: core, host, file. The packages pl.utils, pl.path and pl.dir are loaded before.

local _, _, file = ...
local utils, path, dir = require 'pl.utils', require 'pl.path', require 'pl.dir'

file.read, file.write, file.delete = utils.readfile, utils.writefile, os.remove
file.copy, file.move = dir.copyfile, dir.movefile
file.access_time, file.creation_time, file.modified_time = path.getatime, path.getctime, path.getmtime
