"""Methods of tensors: what changes a tensor in Torch7 changes it here, and returns it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from torch7py.ops.quicksort import select, sort
from torch7py.translate.page_library.decompositions import DECOMPOSITIONS
from torch7py.translate.page_library.values import (
    LAYERS,
    OF_NUMBERS,
    NotInPage,
    Storage,
    call,
    index,
    items_of,
    length,
    like,
    listed,
    number_of,
    type_of,
)

# Torch7's types of numbers.
DTYPES: dict[str, torch.dtype] = {
    "Byte": torch.uint8,
    "Char": torch.int8,
    "Short": torch.int16,
    "Int": torch.int32,
    "Long": torch.int64,
    "Half": torch.float16,
    "Float": torch.float32,
    "Double": torch.float64,
}


def as_type(value: Any, name: str) -> Any:
    """A module or a tensor as what Torch7 calls a type; ``cuda`` is single precision on the GPU."""
    kind = name.removeprefix("torch.").removesuffix("Tensor").lower()
    kind = {"cudadouble": "double"}.get(kind, kind)
    moved = value.to(DTYPES[(kind.removeprefix("cuda") or "float").capitalize()])
    if kind.startswith("cuda"):
        return moved.cuda()
    return moved.cpu()


def whole(value: Any) -> Any:
    """A number of Lua's that is whole as an int, for sizes and places; others as they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def sizes_in(args: tuple[Any, ...]) -> list[int]:
    """Sizes that are given one by one, or as one table or storage of them."""
    values = items_of(args[0]) if len(args) == 1 and not isinstance(args[0], (int, float)) else args
    return [int(size) for size in values]


def new_sizes(*args: Any) -> torch.Size:
    """``torch.LongStorage(n)``, or of a table of sizes, which does not change."""
    return torch.Size(
        [0] * int(args[0]) if args and isinstance(args[0], (int, float)) else sizes_in(args or ([],))
    )


def with_dimension(x: torch.Tensor, dim: Any = 1, *others: Any) -> torch.Tensor:
    """``nn.utils.addSingletonDimension(x, dim)``: a view with a dimension of one element in front of another."""
    if others:
        raise NotInPage("a tensor that is given a view with another dimension")
    return x.unsqueeze(int(dim) - 1)


def nested_lists(value: Any) -> Any:
    """Tables of numbers, and tables of such, as lists."""
    value = listed(value)
    return [nested_lists(part) for part in value] if isinstance(value, list) else value


def new_storage(kind: str, *args: Any) -> Storage:
    """``torch.FloatStorage(n)``, or of a table of numbers."""
    return new_tensor(kind, *args).as_subclass(Storage)


def numbers_of(x: torch.Tensor) -> torch.Tensor:
    """A tensor, of a weight one that nothing goes back through: it may be resized."""
    return x.data if isinstance(x, nn.Parameter) else x


def new_tensor(kind: str, *args: Any) -> torch.Tensor:
    """``torch.FloatTensor(...)`` of sizes, of a table of numbers, of a tensor, or of a part of what lies in memory."""
    dtype = DTYPES[kind] if kind else torch.get_default_dtype()
    args = tuple(map(nested_lists, args))
    if not args or not isinstance(args[0], torch.Tensor):
        is_table = (
            len(args) == 1 and isinstance(args[0], (list, tuple)) and not isinstance(args[0], torch.Size)
        )
        return (
            torch.tensor(args[0], dtype=dtype)
            if is_table
            else torch.empty(sizes_in(args or (0,)), dtype=dtype)
        )
    source = numbers_of(args[0]).as_subclass(torch.Tensor)
    place = args[1:]
    if source.dtype != dtype:
        raise TypeError(f"a tensor of {dtype} on memory of {source.dtype}")
    if not place:
        return source.view_as(source)
    first, *sizes = place
    if not sizes:
        return source[int(first) - 1 :]
    if isinstance(sizes[0], (int, float)):  # each with its stride
        shape, strides = [int(size) for size in sizes[::2]], [int(stride) for stride in sizes[1::2]]
        return source.as_strided(shape, strides or [1], int(first) - 1)
    shape = sizes_in((sizes[0],))
    return source[int(first) - 1 :][: math.prod(shape)].view(shape)


def tensor_of_type(name: str, *args: Any) -> torch.Tensor:
    """``torch[name](...)`` of a type of tensors or storages."""
    if name.endswith("Storage"):
        return new_storage(name.removesuffix("Storage"), *args)
    kind, ending = name.removesuffix("Tensor"), name.endswith("Tensor")
    if not ending or (kind and (kind.removeprefix("Cuda") or "Float") not in DTYPES):
        raise TypeError(f"torch.{name}, which is no type of tensors")
    if not kind.startswith("Cuda"):
        return new_tensor(kind, *args)
    return new_tensor(kind.removeprefix("Cuda") or "Float", *args).cuda()


def text_in_memory(x: torch.Tensor, length: Any = None) -> str:
    """``ffi.string(x:data()[, length])``: the text in a tensor of bytes, up to a zero or of a length."""
    data = bytes(int(byte) % 256 for byte in x.reshape(-1))
    return (data.partition(b"\0")[0] if length is None else data[: int(length)]).decode(
        errors="surrogateescape"
    )


def text_into_memory(x: torch.Tensor, text: Any, length: Any = None) -> tuple[()]:
    """``ffi.copy(x:data(), text[, length])``: the bytes of a text, with a zero behind them where there is no length."""
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else bytes(text)
    data = data + b"\0" if length is None else data[: int(length)]
    if len(data) > x.numel() or (length is not None and len(data) < length):
        raise IndexError(f"{len(data)} bytes of a text for a tensor of {x.numel()}")
    numbers = torch.tensor(list(data), dtype=torch.uint8).to(x.dtype)
    x.view(-1)[: len(data)] = numbers
    return ()


def new_like(value: Any, *args: Any) -> Any:
    """``value.new(...)``: of a tensor one of its type, of another value what its function of that name gives."""
    if not isinstance(value, torch.Tensor):
        return call(index(value, "new"), *args)
    kind = next(kind for kind, dtype in DTYPES.items() if dtype is value.dtype)
    return new_tensor(kind, *args).to(value.device)


def tensor_method(x: torch.Tensor, name: str, *args: Any) -> Any:
    """``x:name(...)``"""
    result = _method(x, name, args)
    gives_last = name in GIVING_LAST or (name in GIVING_LAST_ON_CPU and not x.is_cuda)
    return args[-1] if gives_last and result is x else result


def _method(x: torch.Tensor, name: str, args: tuple[Any, ...]) -> Any:
    if _starts_from_another(name, args):
        return _written_into(x, name, args)
    if name in ELEMENTWISE and not args:
        return getattr(x, f"{name}_")()
    if name not in TENSOR_METHODS and name not in NEW_ELEMENTS:
        raise TypeError(f"the method {name} of a tensor")
    methods = TENSOR_METHODS if name in TENSOR_METHODS else NEW_ELEMENTS
    values = [whole(value) for value in args]
    if name in OF_ANOTHER and not x.is_floating_point():
        values = [math.trunc(value) if isinstance(value, float) else value for value in values]
    return methods[name](x, *values)


def _starts_from_another(name: str, args: tuple[Any, ...]) -> bool:
    """Whether the first argument of ``x:name(...)`` is what is computed from, and x is where the result goes."""
    first = next((at for at, value in enumerate(args) if not isinstance(value, torch.Tensor)), len(args))
    if name in OF_ANOTHER:
        return len(args) in OF_ANOTHER[name] and (first > 0 or name == "pow")
    if name in ELEMENTWISE:
        return len(args) == first == 1
    if name in COMPARED:  # by a number or another tensor
        return len(args) == 2
    return name in INTO_RESULTS and first > INTO_RESULTS[name]


def _written_into(x: torch.Tensor, name: str, args: tuple[Any, ...]) -> Any:
    """``x:name(y, ...)``: what ``torch.name(y, ...)`` gives, in x; of two results the second in the first argument."""
    targets = [x]
    if name in OF_TWO_RESULTS and isinstance((*args, 0)[1], torch.Tensor):
        targets, args = [x, args[0]], args[1:]
    results = function_all(name, *args)
    for target, result in zip(targets, results, strict=False):
        if name in OF_VIEWS:
            target.data = result.detach()
        else:
            target.resize_(result.shape).copy_(result)
    written = (*targets, *results[len(targets) :])
    return written if len(written) > 1 else x


def function_all(name: str, x: Any, *args: Any) -> tuple[Any, ...]:
    """All values that ``torch.name(x, ...)`` gives."""
    result = _results(name, x, *args)
    return result if type(result) is tuple else (result,)


def function(name: str, x: Any, *args: Any) -> Any:
    """The first value that ``torch.name(x, ...)`` gives."""
    return function_all(name, x, *args)[0]


def _results(name: str, x: Any, *args: Any) -> Any:
    """What ``torch.name(x, ...)`` gives, several values as a tuple: of a number a number, of a tensor a new one."""
    if name in NEW_ELEMENTS:
        return _new_elements(name, x, *args)
    if name in DECOMPOSITIONS:
        return DECOMPOSITIONS[name](x, *args)
    if isinstance(x, torch.Tensor):
        is_new = (name in ELEMENTWISE or name in OF_ANOTHER) and not _starts_from_another(name, args)
        is_new = is_new and sum(isinstance(value, torch.Tensor) for value in args) < 3
        return tensor_method(x.clone() if is_new else x, name, *args)
    if name == "pow" and args and isinstance(args[0], torch.Tensor):
        return torch.pow(x, args[0])
    if name == "cat" and isinstance(x, (list, tuple, dict)):
        return torch.cat(items_of(x), int(args[0]) - 1 if args else -1)
    if name in ELEMENTWISE and name not in OF_NUMBERS and not isinstance(x, bool) and not args:
        return tensor_method(torch.tensor(number_of(x), dtype=torch.float64), name).item()
    if not isinstance(x, (int, float)) or isinstance(x, bool) or name not in OF_NUMBERS:
        raise TypeError(f"torch.{name} of a {type_of(x)}")
    return OF_NUMBERS[name](x, *args)


def _new_elements(name: str, *args: Any) -> torch.Tensor:
    """``torch.name(...)`` that makes a tensor, or writes into one that it is given first."""
    operands = 2 if name in PRODUCTS else 0
    first = next((at for at, value in enumerate(args) if not isinstance(value, torch.Tensor)), len(args))
    if first > operands:
        result, args = args[0], args[1:]
    else:
        result = args[0].new_empty(0) if operands else torch.empty(0)
    made: torch.Tensor = tensor_method(result, name, *args)
    return made


def _add(x: torch.Tensor, *args: Any) -> torch.Tensor:
    if len(args) == 1:
        return x.add_(like(x, args[0]))
    scale, other = args
    return x.add_(like(x, other), alpha=scale)


def _scaled(name: str) -> Callable[..., torch.Tensor]:
    """``addcmul`` or ``addcdiv``, before whose tensors a factor may stand."""

    def compute(x: torch.Tensor, *args: Any) -> torch.Tensor:
        scale, first, second = args if len(args) == 3 else (1, *args)
        changed: torch.Tensor = getattr(x, name)(like(x, first), like(x, second), value=scale)
        return changed

    return compute


def _with(name: str) -> Callable[..., torch.Tensor]:
    """A method of one operand, taken in the tensor's shape."""
    return lambda x, other: getattr(x, name)(like(x, other))


def _divide(x: torch.Tensor, other: Any) -> torch.Tensor:
    return x.div_(like(x, other), rounding_mode=None if x.is_floating_point() else "trunc")


def _become(x: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """A tensor with other elements, in their sizes."""
    return x.resize_(values.shape).copy_(values)


def _range(x: torch.Tensor, first: float, last: float, step: float = 1) -> torch.Tensor:
    places = torch.arange(int((last - first) / step + 1), dtype=torch.float64)
    return _become(x, first + places * step)


def _line(x: torch.Tensor, first: float, last: float, count: int = 100) -> torch.Tensor:
    return _become(x, torch.linspace(first, last, int(count), dtype=torch.float64))


def _random(x: torch.Tensor, *args: int) -> torch.Tensor:
    if len(args) == 2:
        return x.random_(args[0], args[1] + 1)
    return x.random_(1, args[0] + 1) if args else x.random_()


def _apply(x: torch.Tensor, function: Any) -> torch.Tensor:
    old = x.flatten().tolist()
    new = [call(function, value) for value in old]
    written_over = [before if after is None else after for before, after in zip(old, new, strict=True)]
    return x.copy_(torch.tensor(written_over, dtype=x.dtype).reshape(x.shape))


def _reduced(name: str) -> Callable[..., Any]:
    """Of all elements a number; along a dimension a tensor with one element there."""

    def compute(x: torch.Tensor, *args: Any) -> Any:
        *dim, last = args or (None,)
        options = (
            {"correction": int(not last)} if isinstance(last, bool) else {}
        )  # whether it is divided by n
        dim = dim if options else [last][: len(args)]
        if not dim:
            return getattr(x, name)(**options).item()
        return getattr(x, name)(dim=dim[0] - 1, keepdim=True, **options)

    return compute


def _norm(x: torch.Tensor, p: Any = 2, dim: Any = None) -> Any:
    """Of all elements a number; along a dimension a tensor with one element there."""
    if dim is None:
        return torch.linalg.vector_norm(x, p).item()
    return torch.linalg.vector_norm(x, p, int(dim) - 1, keepdim=True)


def _extreme(name: str) -> Callable[..., Any]:
    """Of all elements the largest or smallest; along a dimension both values and places."""

    def compute(x: torch.Tensor, *args: Any) -> Any:
        if not args:
            return getattr(x, name)().item()
        result = getattr(x, name)(dim=args[0] - 1, keepdim=True)
        return result.values, result.indices + 1

    return compute


def _truth(name: str) -> Callable[..., bool]:
    """Whether all or any elements of a mask are set."""

    def compute(x: torch.Tensor) -> bool:
        if x.dtype not in (torch.bool, torch.uint8):
            raise TypeError(f"{name} of a tensor that is no mask")
        return bool(getattr(x.bool(), name)().item())

    return compute


def _memory(x: torch.Tensor) -> Storage:
    """``x:storage()``: all of the memory that a tensor lies in."""
    return x.detach().new_empty(0).set_(x.detach().untyped_storage()).as_subclass(Storage)


def _set(x: torch.Tensor, source: torch.Tensor | None = None, first: int = 1, *sizes: Any) -> torch.Tensor:
    """``x:set(y)`` and ``x:set(storage, first, sizes)``: a tensor becomes another one, or a part of memory."""
    if source is None:
        source = x.new_empty(0)
    if sizes:
        shape = sizes_in(sizes[:1] if isinstance(sizes[0], (list, torch.Size)) else sizes)
        source = source[first - 1 :][: math.prod(shape)].view(shape)
    x.data = source.detach()
    return x


def _product(name: str) -> Callable[..., torch.Tensor]:
    """``x:addmm([beta,] [M,] [alpha,] a, b)`` and its kin."""

    def compute(x: torch.Tensor, *args: Any) -> torch.Tensor:
        *before, first, second = args
        at = next((i for i, value in enumerate(before) if isinstance(value, torch.Tensor)), -1)
        factors = [value for value in before if not isinstance(value, torch.Tensor)]
        beta, alpha = {0: (1, 1), 1: (*factors, 1) if at == 1 else (1, *factors)}.get(len(factors), factors)
        if at >= 0:
            _become(x, before[at])
        changed: torch.Tensor = getattr(x, name)(first, second, beta=beta, alpha=alpha)
        return changed

    return compute


def _select(x: torch.Tensor, dim: int, index: int) -> Any:
    part = x.select(dim - 1, index - 1)
    return part.item() if part.dim() == 0 else part


def _sub(x: torch.Tensor, *ends: int) -> torch.Tensor:
    for dim, (first, last) in enumerate(zip(ends[::2], ends[1::2], strict=True)):
        size = x.shape[dim]
        start = first - 1 if first >= 0 else size + first
        x = x.narrow(dim, start, (last if last >= 0 else size + last + 1) - start)
    return x


def _squeeze(x: torch.Tensor, *dims: int) -> torch.Tensor:
    squeezed = x.squeeze(*(dim - 1 for dim in dims))
    return squeezed.reshape(1) if squeezed.dim() == 0 else squeezed


def _sort(x: torch.Tensor, dim: Any = None, descending: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(dim, bool):
        dim, descending = None, dim
    dim = x.dim() - 1 if dim is None else dim - 1
    values, places = x.sort(dim, descending=descending)
    if has_equal(values, dim):
        places = placed(x, dim, lambda row: sort([-key for key in row] if descending else row))
        values = x.gather(dim, places)
    return values, places + 1


def has_equal(ordered: torch.Tensor, dim: int) -> bool:
    """Whether two elements are equal, or no numbers: each library sorts such in an order of its own."""
    first, second = (ordered.narrow(dim, start, max(ordered.shape[dim] - 1, 0)) for start in (0, 1))
    return bool((~(first != second) | second.isnan()).any())


def placed(x: torch.Tensor, dim: int, order: Callable[[list[Any]], list[int]]) -> torch.Tensor:
    """The places, counted from 0, in which a function of numbers puts them along a dimension."""
    rows = x.movedim(dim, -1)
    places = [order(row) for row in rows.reshape(-1, rows.shape[-1]).tolist()]
    return torch.tensor(places).reshape(*rows.shape[:-1], len(places[0])).movedim(-1, dim)


def _topk(x: torch.Tensor, *args: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """``x:topk(count, dim, largest, ordered)``: the smallest, in the order in which Torch7 comes upon them."""
    numbers = [int(arg) for arg in args if not isinstance(arg, bool)]
    largest, ordered = [*(arg for arg in args if isinstance(arg, bool)), False, False][:2]
    count, dim = numbers[0] if numbers else 1, numbers[1] if len(numbers) > 1 else x.dim()
    places = placed(x, dim - 1, lambda row: extremes(row, count, largest, ordered))
    return x.gather(dim - 1, places), places + 1


def extremes(keys: list[float], count: int, largest: bool, ordered: bool) -> list[int]:
    """The places of the largest or smallest numbers. Of the smallest, the last stays where it was found."""
    first = len(keys) - count if largest else 0
    at = first - 1 if largest else count - 1
    places = (select(keys[:], at) if at >= 0 else list(range(len(keys))))[first : first + count]
    if not ordered:
        return places
    last = [] if largest else [places.pop()]
    order = sort([-keys[place] if largest else keys[place] for place in places])
    return [*(places[i] for i in order), *last]


def _type(x: torch.Tensor, name: str | None = None) -> Any:
    if name is not None:
        return as_type(x, name)
    kind = x.type().replace("BoolTensor", "ByteTensor")  # of a mask
    kind = kind.replace("cuda.Float", "Cuda").replace("cuda.", "Cuda")
    return kind.replace("Tensor", "Storage") if isinstance(x, Storage) else kind


def pointer(value: Any) -> int:
    """``torch.pointer(value)``: a number that tells one piece of memory, or one thing, from another."""
    return value.data_ptr() if isinstance(value, torch.Tensor) else id(value)


def torch_type(value: Any) -> str:
    """``torch.type(value)`` of what is no object of a class."""
    if isinstance(value, torch.Tensor):
        return str(_type(value))
    if isinstance(value, nn.Module) and hasattr(value, "NAME"):
        return str(value.NAME)
    if isinstance(value, nn.Module):
        name = vars(value).get("name_in_torch7") or LAYERS.get(type(value).__name__, (None,))[0]
        if name is not None:
            return str(name)
    if isinstance(value, torch.Size):
        return "torch.LongStorage"
    if isinstance(value, nn.Module) or type_of(value) == "userdata":
        raise NotInPage(f"torch.type of an object of {type(value).__name__}")
    if type_of(value) == "table" and not isinstance(value, (list, dict, tuple)):
        raise NotInPage(f"torch.type of an object of {type(value).__name__}")
    return type_of(value)


def named_as(name: str, module: nn.Module) -> nn.Module:
    """A module of a class for which Torch7 has several names, with that which it has there."""
    object.__setattr__(module, "name_in_torch7", name)
    return module


def name_of_type(value: Any) -> str | None:
    """``torch.typename(value)``: what has no class of Torch7's has no name."""
    return torch_type(value) if isinstance(value, (torch.Tensor, torch.Size, nn.Module)) else None


def is_storage(value: Any) -> bool:
    """``torch.isStorage(value)``"""
    return isinstance(value, (Storage, torch.Size))


def is_type_of(value: Any, name: Any, *derived: str) -> bool:
    """``torch.isTypeOf(value, name)`` of what is an object of a module's class, or of none.

    ``derived``: the classes of Torch7's that derive from it.
    """
    if not isinstance(name, str):
        raise NotInPage(f"torch.isTypeOf of a class that is {name!r:.40}")
    kinds = [vars(kind).get("NAME") for kind in type(value).__mro__]
    if hasattr(type(value), "BASE"):  # a criterion, which is no module
        kinds = [kind for kind in kinds if kind != "nn.Module"] + [type(value).BASE]
    return name_of_type(value) in (name, *derived) or name in kinds


def _split(x: torch.Tensor, size: int, dim: int = 1) -> list[torch.Tensor]:
    return list(x.split(size, dim - 1))


def _ranked(name: str) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """``x:median(dim)`` and its like: what is in the middle, say, and where."""

    def compute(x: torch.Tensor, *args: int) -> tuple[torch.Tensor, torch.Tensor]:
        *count, dim = args if len(args) > (name == "kthvalue") else (*args, x.dim())
        result = getattr(x, name)(*count, dim=dim - 1, keepdim=True)
        return result.values, result.indices + 1

    return compute


def _mode(x: torch.Tensor, dim: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """The smallest of the commonest values along a dimension, and where it stands last."""
    dim = x.dim() - 1 if dim is None else dim - 1
    ordered = x.sort(dim)
    counts = (x.unsqueeze(dim) == ordered.values.unsqueeze(dim + 1)).sum(dim + 1)
    values: torch.Tensor = ordered.values.gather(dim, counts.argmax(dim, keepdim=True))
    numbers = torch.arange(1, x.shape[dim] + 1).view([-1 if d == dim else 1 for d in range(x.dim())])
    last: torch.Tensor = torch.where(x == values, numbers, 0).amax(dim, keepdim=True)
    return values, last


def _cat(x: torch.Tensor, other: torch.Tensor, dim: int = 0) -> torch.Tensor:
    return torch.cat([x, other], dim - 1 if dim else -1)


def _cross(x: torch.Tensor, other: torch.Tensor, dim: int | None = None) -> torch.Tensor:
    product: torch.Tensor = torch.linalg.cross(x, other, dim=x.shape.index(3) if dim is None else dim - 1)
    return product


def _bits(name: str) -> Callable[..., torch.Tensor]:
    """A method that combines the bits of whole numbers."""

    def compute(x: torch.Tensor, other: Any) -> torch.Tensor:
        if x.is_floating_point():
            raise TypeError("bits of a tensor of fractions")
        changed: torch.Tensor = getattr(x, f"bitwise_{name}_")(like(x, other))
        return changed

    return compute


def _shift(sign: int) -> Callable[..., torch.Tensor]:
    """``x:lshift(n)`` and ``x:rshift(n)``; of fractions a product with a power of two."""

    def compute(x: torch.Tensor, count: Any) -> torch.Tensor:
        count = like(x, count)
        if x.is_floating_point():
            return x.mul_(2.0 ** (sign * count))
        if bool((x < 0).any()):
            raise TypeError("a shift of negative numbers")
        return x.bitwise_left_shift_(count) if sign > 0 else x.bitwise_right_shift_(count)

    return compute


def _is_set_to(x: torch.Tensor, other: torch.Tensor) -> bool:
    one, two = ((y.data_ptr(), y.dtype, y.shape, y.stride()) for y in (x, other))
    return x.numel() > 0 and one == two


def _places(indices: torch.Tensor) -> torch.Tensor:
    """Places counted from 1 as PyTorch's."""
    return indices.long() - 1


# Methods that change their tensor, and how many arguments they have where the first of these is computed from instead,
# into the tensor: x:add(y, 1). Their functions make a new tensor.
OF_ANOTHER: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("add", "csub"), (2, 3)),
    **dict.fromkeys(("addcdiv", "addcmul", "addbmm", "addmm", "addmv", "addr", "baddbmm"), (3, 4)),
    **dict.fromkeys(("atan2", "cdiv", "cfmod", "cmax", "cmin", "cmod", "cmul", "cpow", "cremainder"), (2,)),
    **dict.fromkeys(("bitand", "bitor", "bitxor", "cbitand", "cbitor", "cbitxor"), (2,)),
    **dict.fromkeys(("clshift", "crshift", "lshift", "rshift"), (2,)),
    **dict.fromkeys(("div", "fmod", "mod", "mul", "pow", "remainder"), (2,)),
    **dict.fromkeys(("cinv", "round"), (1,)),
    "clamp": (3,),
    "lerp": (3,),
    "renorm": (4,),
}
# Methods that make something of their tensor, and how many tensors they take first; one more and the result goes into
# the tensor: r:sum(x, 1).
INTO_RESULTS: dict[str, int] = {
    **dict.fromkeys("cat conv2 cross expandAs maskedSelect viewAs xcorr2".split(), 1),
    **dict.fromkeys(
        "cumprod cumsum diag expand gather histc index kthvalue max mean median min mode".split(), 0
    ),
    **dict.fromkeys(
        "multinomial nonzero norm prod repeatTensor reshape sort squeeze std sum topk".split(), 0
    ),
    **dict.fromkeys("tril triu var view".split(), 0),
}
# Methods that give their last argument, not the tensor that they wrote to; the latter ones of the CPU's tensors alone.
GIVING_LAST = frozenset("index indexAdd indexCopy indexFill".split())
GIVING_LAST_ON_CPU = frozenset("maskedFill maskedSelect".split())
COMPARED = frozenset("eq ge gt le lt ne".split())
OF_TWO_RESULTS = frozenset("kthvalue max median min mode sort topk".split())
OF_VIEWS = frozenset("expand expandAs view viewAs".split())

ELEMENTWISE = frozenset(
    """abs acos asin atan ceil cos cosh exp floor frac log log1p neg rsqrt sigmoid sign sin sinh sqrt tan tanh
    trunc""".split()
)

TENSOR_METHODS: dict[str, Callable[..., Any]] = {
    # the elements of the tensor itself
    "add": _add,
    "addbmm": _product("addbmm_"),
    "addcdiv": _scaled("addcdiv_"),
    "addcmul": _scaled("addcmul_"),
    "addmm": _product("addmm_"),
    "addmv": _product("addmv_"),
    "addr": _product("addr_"),
    "apply": _apply,
    "atan2": _with("atan2_"),
    "baddbmm": _product("baddbmm_"),
    "bernoulli": lambda x, *p: x.bernoulli_(*p),
    "bitand": _bits("and"),
    "bitor": _bits("or"),
    "bitxor": _bits("xor"),
    "cauchy": lambda x, *args: x.cauchy_(*args),
    "cbitand": _bits("and"),
    "cbitor": _bits("or"),
    "cbitxor": _bits("xor"),
    "cdiv": _divide,
    "cfmod": _with("fmod_"),
    "cinv": lambda x: x.reciprocal_(),
    "clamp": lambda x, low, high: x.clamp_(low, high),
    "clshift": _shift(1),
    "cmax": lambda x, other: x.copy_(x.clamp(min=like(x, other))),
    "cmin": lambda x, other: x.copy_(x.clamp(max=like(x, other))),
    "cmod": _with("fmod_"),
    "cmul": _with("mul_"),
    "copy": _with("copy_"),
    "cpow": _with("pow_"),
    "cremainder": _with("remainder_"),
    "crshift": _shift(-1),
    "csub": lambda x, *args: x.sub_(like(x, args[-1]), alpha=args[0] if len(args) > 1 else 1),
    "div": _divide,
    "exponential": lambda x, *rate: x.exponential_(*rate),
    "fill": lambda x, value: x.fill_(value),
    "fmod": _with("fmod_"),
    "geometric": lambda x, p: x.geometric_(p),
    "indexAdd": lambda x, dim, places, other: x.index_add_(dim - 1, _places(places), other),
    "indexCopy": lambda x, dim, places, other: x.index_copy_(dim - 1, _places(places), other),
    "indexFill": lambda x, dim, places, value: x.index_fill_(dim - 1, _places(places), value),
    "lerp": lambda x, other, weight: x.lerp_(like(x, other), weight),
    "logNormal": lambda x, *args: x.log_normal_(*args),
    "lshift": _shift(1),
    "maskedCopy": lambda x, mask, other: x.masked_scatter_(mask.bool(), other),
    "maskedFill": lambda x, mask, value: x.masked_fill_(mask.bool(), value),
    "mod": _with("fmod_"),
    "mul": _with("mul_"),
    "normal": lambda x, *args: x.normal_(*args),
    "pow": _with("pow_"),
    "random": _random,
    "remainder": _with("remainder_"),
    "renorm": lambda x, p, dim, most: x.renorm_(p, dim - 1, most),
    "round": lambda x: x.copy_(x.trunc() + (2 * x.frac()).trunc()),
    "rshift": _shift(-1),
    "scatter": lambda x, dim, places, source: x.scatter_(dim - 1, _places(places), source),
    "set": _set,
    "uniform": lambda x, *args: x.uniform_(*args),
    "zero": lambda x: x.zero_(),
    # what all elements give
    "all": _truth("all"),
    "any": _truth("any"),
    "dist": lambda x, other, *p: torch.dist(x, like(x, other), *p).item(),
    "dot": lambda x, other: torch.dot(x.flatten(), other.flatten()).item(),
    "equal": torch.equal,
    "max": _extreme("max"),
    "kthvalue": _ranked("kthvalue"),
    "mean": _reduced("mean"),
    "median": _ranked("median"),
    "min": _extreme("min"),
    "mode": _mode,
    "norm": _norm,
    "prod": _reduced("prod"),
    "std": _reduced("std"),
    "sum": _reduced("sum"),
    "totable": lambda x: x.tolist(),
    "trace": lambda x: x.trace().item(),
    "var": _reduced("var"),
    # sizes
    "dim": lambda x: x.dim() if x.numel() else 0,
    "elementSize": lambda x: x.element_size(),
    "storage": _memory,
    "storageOffset": lambda x: x.storage_offset() + 1,
    "isContiguous": lambda x: x.is_contiguous(),
    "isSameSizeAs": lambda x, other: x.shape == other.shape,
    "isSetTo": _is_set_to,
    "isSize": lambda x, sizes: list(x.shape) == sizes_in((sizes,)),
    "nDimension": lambda x: x.dim() if x.numel() else 0,
    "nElement": lambda x: x.numel(),
    "numel": lambda x: x.numel(),
    "size": lambda x, *dim: x.shape[dim[0] - 1] if dim else length(x),
    "stride": lambda x, *dim: x.stride(dim[0] - 1) if dim else torch.Size(x.stride()),
    # views, and the tensor itself in other sizes
    "expand": lambda x, *sizes: x.expand(sizes_in(sizes)),
    "expandAs": lambda x, other: x.expand(other.shape),
    "narrow": lambda x, dim, first, size: x.narrow(dim - 1, first - 1, size),
    "permute": lambda x, *dims: x.permute([dim - 1 for dim in dims]),
    "resize": lambda x, *sizes: x.resize_(sizes_in(sizes)),
    "resizeAs": lambda x, other: x.resize_(other.shape),
    "select": _select,
    "split": _split,
    "squeeze": _squeeze,
    "sub": _sub,
    "t": lambda x: x.t(),
    "transpose": lambda x, first, second: x.transpose(first - 1, second - 1),
    "unfold": lambda x, dim, size, step: x.unfold(dim - 1, size, step),
    "view": lambda x, *sizes: x.view(sizes_in(sizes)),
    "viewAs": lambda x, other: x.view(other.shape),
    # new tensors
    "cat": _cat,
    "chunk": lambda x, count, dim=1: list(x.chunk(count, dim - 1)),
    "cross": _cross,
    "cumprod": lambda x, dim=1: x.cumprod(dim - 1),
    "diag": lambda x, k=0: x.diag(k).clone(),
    "histc": lambda x, *args: x.histc(*args),
    "byte": lambda x: as_type(x, "byte"),
    "char": lambda x: as_type(x, "char"),
    "cuda": lambda x: as_type(x, "cuda"),
    "double": lambda x: as_type(x, "double"),
    "eq": _with("eq"),
    "float": lambda x: as_type(x, "float"),
    "ge": _with("ge"),
    "gt": _with("gt"),
    "half": lambda x: as_type(x, "half"),
    "int": lambda x: as_type(x, "int"),
    "le": _with("le"),
    "long": lambda x: as_type(x, "long"),
    "lt": _with("lt"),
    "ne": _with("ne"),
    "short": lambda x: as_type(x, "short"),
    "clone": lambda x: x.clone(memory_format=torch.contiguous_format),
    "contiguous": lambda x: x.contiguous(),
    "cumsum": lambda x, dim=1: x.cumsum(dim - 1),
    "gather": lambda x, dim, places: x.gather(dim - 1, _places(places)),
    "index": lambda x, dim, places: x.index_select(dim - 1, _places(places)),
    "maskedSelect": lambda x, mask: x.masked_select(mask.bool()),
    "multinomial": lambda x, count, replacement=False: x.multinomial(count, replacement) + 1,
    "new": lambda x: numbers_of(x).view_as(x),  # x:new(), of the same memory
    "nonzero": lambda x: x.nonzero() + 1,
    "repeatTensor": lambda x, *sizes: x.repeat(sizes_in(sizes)),
    "reshape": lambda x, *sizes: x.reshape(sizes_in(sizes)).clone(),
    "sort": _sort,
    "topk": _topk,
    "tril": lambda x, k=0: x.tril(k),
    "triu": lambda x, k=0: x.triu(k),
    "type": _type,
    "typeAs": lambda x, other: x.to(other),
}

PRODUCTS = frozenset("bmm ger mm mv".split())

# Methods that give a tensor other elements and sizes; the functions of these names take no tensor to start from.
NEW_ELEMENTS: dict[str, Callable[..., torch.Tensor]] = {
    "bmm": lambda x, first, second: _become(x, torch.bmm(first, second)),
    "eye": lambda x, *sizes: _become(x, torch.eye(*sizes_in(sizes))),
    "ger": lambda x, first, second: _become(x, torch.outer(first, second)),
    "linspace": _line,
    "logspace": lambda x, *args: _line(x, *args).copy_(10**x),
    "mm": lambda x, first, second: _become(x, torch.mm(first, second)),
    "mv": lambda x, first, second: _become(x, torch.mv(first, second)),
    "ones": lambda x, *sizes: x.resize_(sizes_in(sizes)).fill_(1),
    "rand": lambda x, *sizes: x.resize_(sizes_in(sizes)).uniform_(),
    "randn": lambda x, *sizes: x.resize_(sizes_in(sizes)).normal_(),
    "randperm": lambda x, count: _become(x, torch.randperm(int(count)) + 1),
    "range": _range,
    "zeros": lambda x, *sizes: x.resize_(sizes_in(sizes)).fill_(0),
}
