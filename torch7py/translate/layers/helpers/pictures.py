"""Pictures: in files, of other sizes, in other colours, and many of them as one."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


def load_image(path, channels=None, as_bytes=False):
    """A picture's planes as numbers from 0 to 1, or bytes; all of them, or 1 or 3."""
    with Image.open(path) as file:
        picture = file.convert({"1": "L", "P": "RGB"}.get(file.mode, file.mode))
    if picture.mode not in ("L", "LA", "RGB", "RGBA"):
        raise ValueError(f"{path}: colours of mode {picture.mode}")
    pixels = torch.from_numpy(np.array(picture)).view(picture.height, picture.width, -1)
    planes = pixels.permute(2, 0, 1).contiguous()
    if not as_bytes:
        planes = planes.to(torch.get_default_dtype()) * (1 / 255)
    if channels == 3:
        return planes.repeat(3, 1, 1) if len(planes) == 1 else planes[:3]
    if channels == 1:
        return luminance(planes[:3])[0] if len(planes) > 2 else planes[:1]
    return planes


def fill_with(x, values):
    """``x`` after values have been written into it, with their size if it had another."""
    return x.resize_(values.shape).copy_(values)


def save_image(path, x):
    """Save planes of numbers from 0 to 1, or of bytes, as a picture."""
    if x.dtype is not torch.uint8:
        x = (x.double().clamp(0, 1) * 255).byte()
    if x.dim() == 3:
        x = x[0] if len(x) == 1 else x.permute(1, 2, 0)
    Image.fromarray(x.cpu().contiguous().numpy()).save(path)


def luminance(x):
    """How bright the red, green and blue planes of a picture are together, as one plane."""
    red, green, blue = x[:3].double()
    bright = (0.299 * red + 0.587 * green + 0.114 * blue)[None]
    return (bright + 0.5).byte() if x.dtype is torch.uint8 else bright.to(x.dtype)


def rgb_to_yuv(x):
    """Brightness and two differences of colour, of red, green and blue."""
    parts = [[0.299, 0.587, 0.114], [-0.14713, -0.28886, 0.436], [0.615, -0.51499, -0.10001]]
    return torch.einsum("ij,jhw->ihw", x.new_tensor(parts), x)


def yuv_to_rgb(x):
    """Red, green and blue, of brightness and two differences of colour."""
    parts = [[1, 0, 1.13983], [1, -0.39465, -0.58060], [1, 2.03211, 0]]
    return torch.einsum("ij,jhw->ihw", x.new_tensor(parts), x)


def crop_image(x, left, top, right, bottom):
    """A part of an image, cut at whole pixels."""
    height, width = int(bottom - top), int(right - left)
    return x.narrow(-2, int(top), height).narrow(-1, int(left), width).clone()


def fitted_size(x, size, side=max):
    """Width and height of an image as they are when its longer side (or with min its shorter one) has a size."""
    height, width = x.shape[-2:]
    old = side(height, width)
    return max(int(width * size / old), 1), max(int(height * size / old), 1)


def scale_image_nearest(x, width, height):
    """An image of another size, each pixel the nearest one."""
    for dim, length in ((-2, height), (-1, width)):
        at = torch.arange(length, dtype=torch.float32) * (x.shape[dim] / length)
        x = x.index_select(dim, at.long().clamp(max=x.shape[dim] - 1))
    return x


def scale_image_cubic(x, width, height):
    """An image of another size, interpolated by cubics through four pixels; beyond the ends it goes on straight."""
    for length in (width, height):
        old = x.shape[-1]
        if length != old:
            at = torch.arange(length, dtype=x.dtype) * ((old - 1) / max(length - 1, 1))
            start = at.long().clamp(max=max(old - 2, 0))
            step = at - start
            longer = torch.cat((2 * x[..., :1] - x[..., 1:2], x, 2 * x[..., -1:] - x[..., -2:-1]), -1)
            a, b, c, d = (longer[..., start + k] for k in range(4))
            inner = 2 * a - 5 * b + 4 * c - d + step * (3 * (b - c) + d - a)
            x = b + 0.5 * step * (c - a + step * inner)
        x = x.transpose(-1, -2)
    return x.clone(memory_format=torch.contiguous_format)


def convolve(x, kernel, mode="valid"):
    """Each plane of an image convolved with a kernel, or with its plane of the kernel."""
    planes = x if x.dim() == 3 else x[None]
    tall, wide = kernel.shape[-2:]
    flipped = kernel.flip(-2, -1).expand(len(planes), tall, wide)[:, None]
    padding = 0 if mode == "valid" else (tall - 1, wide - 1)
    y = F.conv2d(planes[None], flipped, padding=padding, groups=len(planes))[0]
    if mode == "same":
        top, left = (tall - 1) // 2, (wide - 1) // 2
        y = y[:, top : top + x.shape[-2], left : left + x.shape[-1]]
    return y if x.dim() == 3 else y[0]


def gaussian_kernel(height, width, sigma=0.25, amplitude=1, normalize=False, middle=0.5):
    """A Gaussian as a matrix; how wide it is, and where its middle lies, are shares of the matrix."""

    def curve(size):
        at = torch.arange(1, size + 1, dtype=torch.get_default_dtype())
        return torch.exp(-(((at - middle * size - 0.5) / (sigma * size)) ** 2) / 2)

    kernel = amplitude * curve(height)[:, None] * curve(width)
    return kernel / kernel.sum() if normalize else kernel
