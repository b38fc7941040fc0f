-- inn: where there is a GPU, or the CPU in its stead, it brings cunn, as the original did with its library.

pcall(require, 'cunn')
