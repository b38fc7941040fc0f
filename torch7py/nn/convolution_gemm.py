"""Convolution on the CPU as products of matrices, in any number of dimensions.

The windows of a few images are laid out as the columns of a matrix (im2col), which stays in the cache until it has
been multiplied; then come the next images. For 32 planes of 12x12 to 64, windows of 5x5, a batch of 128, in double
and on one thread this takes 22 ms where PyTorch's ``conv2d`` takes 37, as the gradient of the kernel does, of which
the products take 17 each. Columns with many more rows than places are laid out transposed, which makes the products a
fifth faster, with the planes side by side: then a row of a window is one stretch of memory, and they take 14 us for
two images where they took 85 looked up element by element. In float PyTorch has better
kernels than this, but for images of few planes the gradient of the input (1 plane of 28x28 to 32, windows of 5x5:
2.4 ms where PyTorch takes 13), and for small problems, where this gives the original's numbers to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F

from torch7py.nn.window import Sizes, Window

__all__ = ["FEW", "MANY", "add_kernel_gradient", "correlate", "is_tall", "spread"]

FEW = 1 << 16  # bytes of columns up to which the products cost no more than the call of another kernel
MANY = 24  # rows of columns, planes times elements of the window, from which on the products are faster in double
CACHED = 1 << 19  # bytes of columns for each thread that are still in its cache when they are multiplied
SPREAD = 1 << 23  # bytes of columns worth a round of additions
SCATTERED = 1 << 17  # elements of columns that are added up fastest one by one
WIDE = 64  # places in an image from which on its product is as fast by itself as joined to others
SMALL = 1 << 14  # elements of the products of some images that are faster made first and added up afterwards
TALL = 8  # rows for each place from which on products with the transposed columns are faster
LONG = 8  # elements in a row of the grid from which on rows are copied faster than elements are looked up


def _padded(batch: torch.Tensor, window: Window) -> torch.Tensor:
    if any(window.pad):
        return F.pad(batch, [pad for pad in reversed(window.pad) for _ in range(2)])
    return batch


def _windows(padded: torch.Tensor, window: Window, grid: Sizes) -> torch.Tensor:
    """A view ``(batch, planes, *kernel, *grid)`` of images."""

    def layout() -> tuple[Sizes, Sizes]:
        strides = padded.stride()[2:]
        inner = [s * d for s, d in zip(strides, window.dilation, strict=True)]
        outer = [s * d for s, d in zip(strides, window.step, strict=True)]
        return (*padded.shape[:2], *window.kernel, *grid), (*padded.stride()[:2], *inner, *outer)

    sizes, strides = window.remember(("view", padded.shape, padded.stride(), tuple(grid)), layout)
    return padded.as_strided(sizes, strides, padded.storage_offset())


def _places(images: torch.Tensor, window: Window, grid: Sizes, tall: bool = False) -> torch.Tensor:
    """For each element of the columns the number of the element of these contiguous images that it is.

    ``tall``: of the transposed columns, ``(images, places, planes * kernel)``.
    """

    def count() -> torch.Tensor:
        view = _windows(torch.arange(images.numel()).view(images.shape), window, grid)
        if tall:
            dims = len(grid)
            view = view.permute(0, *range(2 + dims, 2 + 2 * dims), *range(1, 2 + dims))
        return view.reshape(-1)

    return window.remember(("places", images.shape, tuple(grid), tall), count)


def _room(like: torch.Tensor, count: int, window: Window, use: str = "columns") -> torch.Tensor:
    """Memory for columns, the same from call to call: the processor's cache holds it."""
    return window.remember((use, count, like.dtype), lambda: like.new_empty(count))


def is_tall(rows: int, positions: int, images: int, size: int) -> bool:
    """Whether transposed columns are multiplied faster."""
    return rows >= TALL * positions and images * rows * positions * size > FEW


def _chunks(count: int, item_bytes: int, room: int) -> Iterator[slice]:
    """The images in portions that fit the room."""
    size = max(1, room // max(item_bytes, 1))
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _all_columns(batch: torch.Tensor, window: Window, grid: Sizes, rows: int, positions: int) -> torch.Tensor:
    """The columns of a few images, ``(images, planes * kernel, places)``."""
    if window.plain:
        return batch.reshape(batch.shape[0], rows, positions)
    padded = _padded(batch, window)
    if not padded.is_contiguous() or (window.step[-1] == 1 and grid[-1] >= LONG):
        return _windows(padded, window, grid).reshape(batch.shape[0], rows, positions)
    return (
        padded.view(-1).index_select(0, _places(padded, window, grid)).view(batch.shape[0], rows, positions)
    )


def _columns(
    batch: torch.Tensor, window: Window, grid: Sizes, rows: int, positions: int
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Portions of the batch, each with its columns."""
    images = batch.shape[0]
    image_bytes, cached = rows * positions * batch.element_size(), CACHED * torch.get_num_threads()
    if images * image_bytes <= FEW:
        yield slice(None), _all_columns(batch, window, grid, rows, positions)
        return
    if window.plain:
        view = batch.reshape(images, rows, positions)
        for portion in _chunks(images, image_bytes, cached):
            yield portion, view[portion]
        return
    padded = _padded(batch, window)
    if padded.is_contiguous() and (window.step[-1] > 1 or grid[-1] < LONG):
        for portion in _chunks(images, image_bytes, max(CACHED, min(images * image_bytes, 2 * CACHED))):
            part = padded[portion]
            numbers = _places(part, window, grid)
            gathered = torch.index_select(
                part.view(-1), 0, numbers, out=_room(part, numbers.shape[0], window)
            )
            yield portion, gathered.view(-1, rows, positions)
        return
    view, buffer = _windows(padded, window, grid), None
    for portion in _chunks(images, image_bytes, cached):
        part = view[portion]
        if buffer is None or buffer.shape != part.shape:
            buffer = torch.empty_like(part, memory_format=torch.contiguous_format)
        yield portion, buffer.copy_(part).view(-1, rows, positions)


def _tall_columns(
    batch: torch.Tensor, window: Window, grid: Sizes, rows: int, positions: int
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Portions of the batch, each with its columns as ``(images * places, kernel * planes)``.

    The planes lie side by side here, so that a row of the window is one stretch of memory.
    """
    padded, dims = _padded(batch, window), len(grid)
    images, planes, *sizes = padded.shape

    def strides() -> tuple[int, ...]:
        result = [planes * math.prod(sizes[dim + 1 :]) for dim in range(dims)]
        outer = [s * d for s, d in zip(result, window.step, strict=True)]
        inner = [s * d for s, d in zip(result, window.dilation, strict=True)]
        return planes * math.prod(sizes), *outer, *inner, 1

    steps = window.remember(("planes inside", padded.shape, tuple(grid)), strides)
    for portion in _chunks(images, rows * positions * batch.element_size(), 4 * CACHED):
        part = padded[portion].movedim(1, -1)
        count = part.shape[0]
        inside = _room(part, part.numel(), window, "images").view(part.shape).copy_(part)
        view = inside.as_strided((count, *grid, *window.kernel, planes), steps)
        columns = _room(part, count * positions * rows, window).view(view.shape).copy_(view)
        yield portion, columns.view(count * positions, rows)


def _planes_inside(kernel: torch.Tensor) -> torch.Tensor:
    """A kernel as ``(out, kernel * planes)``."""
    return kernel.movedim(1, -1).reshape(kernel.shape[0], -1)


def _joined_columns(
    batch: torch.Tensor, window: Window, grid: Sizes, rows: int, positions: int
) -> Iterator[tuple[slice, torch.Tensor]]:
    """The same as one matrix ``(planes * kernel, images * places)``."""
    images = batch.shape[0]
    if window.plain:
        view, dim = batch.reshape(images, rows, positions).transpose(0, 1), 1
    else:
        dim = 1 + len(window.kernel)
        view = _windows(_padded(batch, window), window, grid).movedim(0, dim)
    buffer = None
    for portion in _chunks(images, rows * positions * batch.element_size(), CACHED * torch.get_num_threads()):
        part = view.narrow(dim, portion.start, portion.stop - portion.start)
        if not part.is_contiguous():
            if buffer is None or buffer.shape != part.shape:
                buffer = torch.empty_like(part, memory_format=torch.contiguous_format)
            part = buffer.copy_(part)
        yield portion, part.view(rows, -1)


def correlate(
    batch: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None, window: Window, grid: Sizes
) -> torch.Tensor:
    """``(batch, planes, *sizes)`` with ``(out, planes, *kernel)``: ``(batch, out, *grid)``."""
    images, count = batch.shape[0], kernel.shape[0]
    matrix = kernel.reshape(count, -1)
    rows, positions = matrix.shape[1], math.prod(grid)
    if images * rows * positions * batch.element_size() <= FEW:
        columns = _all_columns(batch, window, grid, rows, positions)
        if count == 1:
            matrix = matrix.expand(
                2, rows
            )  # a row by itself is added up in another order than the original's
        weights = matrix.expand(images, *matrix.shape)
        if bias is None:
            output = torch.bmm(weights, columns)
        else:
            output = torch.baddbmm(bias.view(1, count, 1), weights, columns)
        return (output[:, :1] if count == 1 else output).reshape(images, count, *grid)
    output = batch.new_empty((images, count, positions))
    if is_tall(rows, positions, images, batch.element_size()):
        matrix = _planes_inside(kernel)
        for portion, columns in _tall_columns(batch, window, grid, rows, positions):
            result = torch.mm(matrix, columns.t()).view(count, -1, positions).transpose(0, 1)
            if bias is None:
                output[portion] = result
            else:
                torch.add(result, bias.view(1, -1, 1), out=output[portion])
        return output.view(images, count, *grid)
    for portion, columns in _columns(batch, window, grid, rows, positions):
        weights = matrix.expand(columns.shape[0], *matrix.shape)
        if bias is None:
            torch.bmm(weights, columns, out=output[portion])
        else:
            torch.baddbmm(bias.view(1, -1, 1), weights, columns, out=output[portion])
    return output.view(images, count, *grid)


def add_kernel_gradient(
    buffer: torch.Tensor, batch: torch.Tensor, gradient: torch.Tensor, window: Window, scale: float
) -> None:
    """Add to ``(out, planes * kernel)`` what a gradient ``(batch, out, *grid)`` gives for the kernel, scaled."""
    images, grid = batch.shape[0], gradient.shape[2:]
    rows, positions = buffer.shape[1], math.prod(grid)
    flat = gradient.reshape(images, -1, positions)
    few = images <= 16 and images * rows * positions * batch.element_size() <= FEW
    if few and images == 1:
        columns = _all_columns(batch, window, grid, rows, positions)
        buffer.addmm_(flat[0], columns[0].t(), alpha=scale)
        return
    if is_tall(rows, positions, images, batch.element_size()) and not window.plain:
        planes = batch.shape[1]
        total = buffer.new_zeros(buffer.shape)
        for portion, columns in _tall_columns(batch, window, grid, rows, positions):
            part = flat[portion]
            for of_image, image in zip(part, columns.view(part.shape[0], positions, rows), strict=True):
                total.addmm_(of_image, image)
        gradient_of_kernel = total.view(-1, *window.kernel, planes).movedim(-1, 1).reshape(buffer.shape)
        buffer.add_(gradient_of_kernel, alpha=scale)
        return
    if positions >= WIDE or few:
        for portion, columns in _columns(batch, window, grid, rows, positions):
            if not few and columns.shape[0] * buffer.numel() <= SMALL:
                products = torch.bmm(flat[portion], columns.transpose(1, 2))
                buffer.add_(products.sum(0), alpha=scale)
                continue
            # one after the other, as the original adds
            for of_image, image in zip(flat[portion], columns, strict=True):
                buffer.addmm_(of_image, image.t(), alpha=scale)
        return
    for portion, columns in _joined_columns(batch, window, grid, rows, positions):
        by_plane = flat[portion].transpose(0, 1).reshape(flat.shape[1], -1)
        buffer.addmm_(by_plane, columns.t(), alpha=scale)


def spread(gradient: torch.Tensor, kernel: torch.Tensor, window: Window, sizes: Sizes) -> torch.Tensor:
    """The transpose of ``correlate``: ``(batch, out, *grid)`` back to ``(batch, planes, *sizes)``."""
    images, grid = gradient.shape[0], gradient.shape[2:]
    matrix = kernel.reshape(kernel.shape[0], -1).t()
    flat = gradient.reshape(*gradient.shape[:2], -1)
    full = [size + 2 * pad for size, pad in zip(sizes, window.pad, strict=True)]
    result = gradient.new_zeros((images, kernel.shape[1], *full))
    rows, positions = matrix.shape[0], flat.shape[2]
    tall = is_tall(rows, positions, images, flat.element_size())
    if tall:
        columns = flat.new_empty((positions, rows))
        for image, columns_of_image in zip(result, flat, strict=True):
            torch.mm(columns_of_image.t(), matrix.t(), out=columns)
            numbers = _places(image.unsqueeze(0), window, grid, tall)
            image.view(-1).scatter_add_(0, numbers, columns.view(-1))
    for portion in () if tall else _chunks(images, rows * positions * flat.element_size(), SPREAD):
        part, columns_of_image = result[portion], flat[portion]
        columns = torch.bmm(matrix.expand(columns_of_image.shape[0], -1, -1), columns_of_image)
        if columns.numel() <= SCATTERED:
            part.view(-1).scatter_add_(0, _places(part, window, grid), columns.view(-1))
            continue
        parts = columns.view(-1, kernel.shape[1], *window.kernel, *grid)
        view = _windows(part, window, grid)
        for offset in product(*map(range, window.kernel)):
            at: Any = (slice(None), slice(None), *offset)
            view[at].add_(parts[at])
    if not any(window.pad):
        return result
    inner = (slice(pad, pad + size) for pad, size in zip(window.pad, sizes, strict=True))
    whole: Any = (slice(None), slice(None), *inner)
    return result[whole].contiguous()  # scripts look at it with `view`
