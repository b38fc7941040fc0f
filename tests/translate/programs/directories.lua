-- Directories and commands
require 'paths'
require 'lfs'
local here = paths.cwd()
paths.mkdir('inner')
lfs.chdir('inner')
print(paths.basename(lfs.currentdir()), lfs.currentdir() == paths.concat(here, 'inner'))
lfs.chdir('..')
paths.rmdir('inner')
print(paths.dirp('inner'), os.difftime(7, 4))
local pipe = io.popen('echo one; echo two')
print(pipe:read('*l'))
print(pipe:read('*a'))
pipe:close()
local lines = io.popen('echo three')
for line in lines:lines() do print(line) end
lines:close()
