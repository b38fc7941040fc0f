-- sys.fpath: the function sys.fpath as a separate package. The package sys is loaded before.

return require('sys').fpath
