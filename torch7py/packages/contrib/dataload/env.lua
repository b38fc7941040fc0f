-- dataload._env: the table of dataload itself.

return require 'dataload'
