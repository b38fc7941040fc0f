-- fboptim, an optim that Facebook's test files take: its functions are those of optim.
return require 'optim'
