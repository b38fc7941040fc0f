-- inn: it loads cunn where CUDA tensors exist, as the original did by its library.

pcall(require, 'cunn')
