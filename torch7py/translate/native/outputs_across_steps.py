"""Outputs that a program keeps from one training step to the next without a copy.

A Torch7 module writes its output into the same tensors at every call. A program that unrolls a network over copies of
a module, and carries the last copy's outputs over to its next step as they are, starts that step from them and sees
them overwritten when the last copy runs again: the gradients of its first copy are taken at the new values. In such
programs, and only there, the page's copies write over what they gave before, too.
"""

from __future__ import annotations

__all__ = ["COPY"]

COPY = '''class StepCopy(nn.Module):
    """A module at one step. As in Torch7, its outputs lie in one memory: a call overwrites what it gave before.

    Gradients at values that were kept from before are taken at the new ones. Where that is not wanted, clone what
    is kept, and use the module itself.
    """

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.memory = []

    def forward(self, *inputs):
        outputs = self.module(*inputs)
        given = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        if not self.memory:
            self.memory = [output.data for output in given]
        for memory, output in zip(self.memory, given):
            if memory.shape != output.shape:
                raise ValueError("the outputs of a step changed their size")
            memory.copy_(output.data)
            output.data = memory
        return outputs
'''
