"""The layers and criterions of the dpnn package. What it adds to all modules is in ``torch7py/nn/dpnn_methods.py``."""
