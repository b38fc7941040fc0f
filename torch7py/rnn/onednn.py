"""oneDNN's LSTM: a whole sequence in one call, forward and back; in float on the CPU.

It is what ``torch.nn.LSTM`` computes with there. The gates stand in its order: input, forget, hidden, output.
"""

from __future__ import annotations

import torch

__all__ = ["LSTM", "fits"]

T = torch.Tensor
MODE = 2  # LSTM, in the enumeration of kinds of networks that oneDNN and PyTorch share


def fits(*tensors: T) -> bool:
    """Whether there is a kernel for these."""
    there = torch.backends.mkldnn.is_available()
    return bool(there and torch.backends.mkldnn.enabled) and all(
        t.dtype == torch.float32 and t.device.type == "cpu" and t.numel() > 0 for t in tensors
    )


class LSTM:
    """A sequence forward: ``output`` ``(steps, rows, size)`` and the last ``cell`` ``(rows, size)``.

    ``x`` is ``(steps, rows, inputs)``, contiguous as all that is given; ``first`` are output and cell before step 1;
    ``parameters`` are the weights of the input and of the output before, ``(4 * size, inputs)`` and
    ``(4 * size, size)``, and the bias. Without ``training`` it cannot go back.
    """

    def __init__(self, x: T, first: list[T], parameters: list[T], training: bool) -> None:
        self.first = [part.contiguous() for part in first]
        # Whether a graph could be made is how the operator is told to keep what a backward needs.
        with torch.set_grad_enabled(training):
            self.output, self.last, self.cell, self.kept = torch.ops.aten.mkldnn_rnn_layer(
                x,
                *self._all(parameters),
                *self.first,
                False,
                [],
                MODE,
                *self._sizes(),
                False,
                False,
                training,
            )

    @property
    def goes_back(self) -> bool:
        return self.kept is not None

    def _all(self, parameters: list[T]) -> list[T]:
        """There are two biases, which it adds."""
        return [*parameters, torch.zeros_like(parameters[2])]

    def _sizes(self) -> tuple[int, int, bool]:
        return self.first[0].shape[-1], 1, True  # layers, biases

    def backward(
        self, x: T, gradient: T, of_last: list[T], parameters: list[T]
    ) -> tuple[T, list[T], list[T]]:
        """The gradients of the input, of the states before step 1, of the parameters.

        ``x`` and ``parameters`` are as they are by now; the values of the gates are those of the forward.
        """
        size, layers, biases = self._sizes()
        with torch.no_grad():
            of_x, of_input, of_output, bias, _, of_h, of_c = torch.ops.aten.mkldnn_rnn_layer_backward(
                x,
                *self._all(parameters),
                *self.first,
                self.output,
                self.last,
                self.cell,
                gradient,
                *of_last,
                False,
                MODE,
                size,
                layers,
                biases,
                True,
                False,
                [],
                False,
                self.kept,
            )
        return of_x, [of_h, of_c], [of_input, of_output, bias]
