"""Torch7's cunn: the layers of nn for CUDA tensors, which are the layers of nn, and models on several GPUs."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from torch7py.nn import data_parallel
from torch7py.nn.container import Container
from torch7py.nn.object import TorchObject, names
from torch7py.nn.registry import extend, layer
from torch7py.nn.trace import leaves_of
from torch7py.ops import state, types
from torch7py.ops.convert import to_type
from torch7py.ops.errors import TorchError
from torch7py.ops.process_group import ProcessGroup
from torch7py.ops.registry import Fields
from torch7py.packages.cunn.replicas import Replicas
from torch7py.packages.cutorch.settings import check_device

__all__ = ["DataParallelTable"]

extend("nn.Module", names(cudaDouble="torch7_cuda_double", cudaHalf="torch7_cuda_half"), package="cunn")


@layer("nn.DataParallelTable", package="cunn", parts="replicas")
class DataParallelTable(Container):
    """``nn.DataParallelTable(dimension[, flattenParams, usenccl])``: a batch divided among GPUs along a dimension.

    ``add(module, gpus)`` gives the module and its GPUs, a number or a table of numbers from 1. With one GPU, and on
    the CPU in its stead, the whole batch goes to the module; on several each has a copy, which computes its part
    (``replicas.py``). Where several processes run the program (``torch7py run --nproc``) each computes its part of the
    batch, whichever GPUs are named. Inputs may be FloatTensors: they are copied to the GPU. ``syncParameters`` also
    renews what layers were set to after the first batch.

    Shapes: the module's.
    """

    fields: ClassVar[tuple[str, ...]] = (
        "typeStr",
        "dimension",
        "gpuAssignments",
        "flattenParams",
        "usenccl",
        "needsSync",
    )
    copies_input = True
    version = 3
    transient = (*Container.transient, "_replicas")
    lua_methods = names("threads syncParameters flattenParameters", __tostring="describe")

    def __init__(self, dimension: float, flattenParams: bool = False, usenccl: bool = False) -> None:
        super().__init__()
        self.typeStr = "torch.CudaTensor"
        self.dimension = dimension
        self.gpuAssignments: list[float] = []
        self.flattenParams, self.usenccl, self.needsSync = flattenParams is True, False, False

    def add(self, module: Any = None, gpus: Any = None) -> Any:
        """``m:add(module, gpus)``"""
        listed = gpus if isinstance(gpus, list) else [gpus]
        if not listed or not all(isinstance(n, (int, float)) for n in listed):
            raise TorchError(f"{self.class_name}:add expects a module and a GPU's number, or a table of such")
        for number in listed:
            check_device(number, f"{self.class_name}:add", divides=True)
        if isinstance(gpus, list) and self._modules:
            raise TorchError(f"{self.class_name}:add with a table of GPUs is called once")
        if not self._modules:
            super().add(module)
        self.gpuAssignments.extend(listed)
        return self

    def threads(self, init: Any = None, syncCopies: bool = False) -> Any:
        """``m:threads(f[, syncCopies])``: one GPU needs no thread."""
        return self

    def syncParameters(self) -> None:
        """``m:syncParameters()``: every process gets the first one's parameters; in one process there is one copy."""
        group = state.current().group
        if group is not None:
            data_parallel.send_first(group, self._module().parameter_pairs()[0])
        self.__dict__.pop("_replicas", None)
        self.needsSync = False

    def flattenParameters(self) -> None:
        """``m:flattenParameters()``"""
        self._module().getParameters()
        self.flattenParams = True

    def _module(self) -> Any:
        if not self._modules:
            raise TorchError(f"{self.class_name}: no module was added")
        return self.child_list()[0]

    def _placed(self, value: Any, what: str) -> Any:
        """An input or gradient in the type of the layers."""
        if isinstance(value, list):
            return [self._placed(item, what) for item in value]
        expected = types.BY_NAME[self.typeStr.removeprefix("torch.").removesuffix("Tensor")]
        if not isinstance(value, torch.Tensor) or types.of_layer(value).host is not expected.host:
            actual = types.of_layer(value).tensor if isinstance(value, torch.Tensor) else "no tensor"
            raise TorchError(
                f"{self.class_name}: the {what} must be a {expected.tensor} or {expected.host.tensor}, not {actual}"
            )
        return to_type(value, expected)

    def forward(self, input: Any) -> Any:
        return self._module()(self._placed(input, "input"))

    def updateOutput(self, input: Any) -> Any:
        placed = self._placed(input, "input")
        group = state.current().group
        if group is not None:
            return self._output_of_all(group, placed)
        self.__dict__["_placed_input"] = placed
        replicas = self._several()
        if replicas is None:
            return self.set_output(self._module().updateOutput(placed))
        replicas.follow()
        self.show_results(replicas.forward(placed), None)
        return self.output

    # -- several GPUs -------------------------------------------------------------------------------------

    def _several(self) -> Replicas | None:
        """The copies of the module on several GPUs; None on one."""
        if len(self.gpuAssignments) < 2:
            return None
        module, known = self._module(), self.__dict__.get("_replicas")
        if known is None or not known.fit(module):
            known = self.__dict__["_replicas"] = Replicas(module, self.gpuAssignments, self._axis)
        return known

    def _gradients_of_copies(self, replicas: Replicas, method: str, gradient: Any, *scale: float) -> Any:
        result = replicas.gradients(method, gradient, *scale)
        if method == "accGradParameters" or self.gradInput is None:
            return None
        self.show_results(None, result)
        return self.gradInput

    def show_results(self, output: Any, gradInput: Any) -> None:
        """Results are of a CUDA type, also before the table itself is converted to one."""
        super().show_results(output, gradInput)
        if types.named(self.typeStr).is_cuda:
            shown = [self.__dict__[name] for name in ("output", "gradInput")]
            types.label_all([leaf for leaf in leaves_of(shown) if leaf.is_floating_point()])

    # -- several processes --------------------------------------------------------------------------------

    @property
    def _axis(self) -> int:
        return int(self.dimension) - 1

    def _output_of_all(self, group: ProcessGroup, input: Any) -> Any:
        part = self.__dict__["_placed_input"] = data_parallel.part_of(input, self._axis, group)
        with data_parallel.computing(input, self._axis, group):
            output = self._module().updateOutput(part) if data_parallel.has_data(part) else None
        whole = data_parallel.gather(group, "forward", output, self._axis, self.new())
        if self._module().training:
            data_parallel.keep_equal(group, self._module())
        self.show_results(whole, None)
        return self.output

    def _gradients_of_all(
        self, group: ProcessGroup, method: str, input: Any, gradOutput: Any, *scale: float
    ) -> Any:
        part, gradient = self._its_input(input), data_parallel.part_of(gradOutput, self._axis, group)
        call = getattr(self._module(), method)

        def run() -> Any:
            if not data_parallel.has_data(part):
                return None
            with data_parallel.computing(gradOutput, self._axis, group):
                return call(part, gradient, *scale)

        if method == "updateGradInput":
            result = run()
        else:
            result = data_parallel.sum_gradients(group, self._module().parameter_pairs()[1], run)
        if method == "accGradParameters" or self.gradInput is None:
            return None
        whole = data_parallel.gather(group, method, result, self._axis, self.new())
        self.show_results(None, whole)
        return None if whole is None else self.gradInput

    # -- gradients ----------------------------------------------------------------------------------------

    def _its_input(self, input: Any) -> Any:
        """The module's input at the last forward, which its layers recognize by its memory."""
        return self.__dict__.get("_placed_input", input)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        gradient = self._placed(gradOutput, "gradient")
        group = state.current().group
        if group is not None:
            return self._gradients_of_all(group, "updateGradInput", input, gradient)
        replicas = self._several()
        if replicas is not None:
            return self._gradients_of_copies(replicas, "updateGradInput", gradient)
        grad_input = self._module().updateGradInput(self._its_input(input), gradient)
        return grad_input if self.gradInput is None else self.set_grad_input(grad_input)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: float = 1) -> None:
        gradient = self._placed(gradOutput, "gradient")
        group = state.current().group
        if group is not None:
            self._gradients_of_all(group, "accGradParameters", input, gradient, scale)
            return
        replicas = self._several()
        if replicas is not None:
            self._gradients_of_copies(replicas, "accGradParameters", gradient, scale)
            return
        self._module().accGradParameters(self._its_input(input), gradient, scale)

    def backward(self, input: Any, gradOutput: Any, scale: float = 1) -> Any:
        gradient = self._placed(gradOutput, "gradient")
        group = state.current().group
        if group is not None:
            return self._gradients_of_all(group, "backward", input, gradient, scale)
        replicas = self._several()
        if replicas is not None:
            return self._gradients_of_copies(replicas, "backward", gradient, scale)
        grad_input = self._module().backward(self._its_input(input), gradient, scale)
        return None if self.gradInput is None else self.set_grad_input(grad_input)

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: float) -> None:
        raise TorchError(f"{self.class_name} has no accUpdateGradParameters")

    def share(self, other: TorchObject | None, *fields: str) -> Any:
        raise TorchError(f"{self.class_name} cannot share")

    def getParameters(self) -> Any:
        return self._module().getParameters()

    def torch7_parameters(self) -> Any:
        return self._module().torch7_parameters()

    def torch7_type(self, name: str | None = None, cache: Fields | None = None) -> Any:
        if name is not None:
            if name not in ("torch.CudaTensor", "torch.CudaDoubleTensor", "torch.CudaHalfTensor"):
                raise TorchError(f"{self.class_name} is of a CUDA type only, not {name}")
            self.typeStr = name
        return super().torch7_type(name, cache)

    def clearState(self) -> Any:
        self.__dict__.pop("_placed_input", None)
        self.__dict__.pop("_replicas", None)
        return super().clearState()

    def describe(self) -> str:
        return f"DataParallelTable: {len(self.gpuAssignments)} x {self._module().describe()}"
