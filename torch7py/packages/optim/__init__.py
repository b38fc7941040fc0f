"""Torch7's optim package: optimizers that change a flat vector of parameters in place, and tools around them."""
