"""Sampling of images at places that a matrix maps, as spatial transformers do."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def sample_images(images, grid):
    """The values of images at places (y, x) from -1 to 1, between pixels interpolated; outside of them is 0."""
    if images.dim() == 3:
        return sample_images(images[None], grid[None])[0]
    samples = F.grid_sample(images.permute(0, 3, 1, 2), grid.flip(-1), align_corners=True)
    return samples.permute(0, 2, 3, 1).contiguous()


def affine_points(matrices, height, width):
    """Where matrices map the points (y, x, 1) of a grid from -1 to 1."""
    rows, columns = (-1 + 2 * torch.arange(n).to(matrices) / (n - 1) for n in (height, width))
    ones = torch.ones(height, width).to(matrices)
    points = torch.stack([*torch.meshgrid(rows, columns, indexing="ij"), ones], -1)
    return (points.view(-1, 3) @ matrices.mT).view(*matrices.shape[:-2], height, width, 2)


def affine_matrices(x, turns=False, scales=False, shifts=False):
    """Matrices of an angle, a factor and two shifts, those of them that are used; of their elements where none is."""
    if not (turns or scales or shifts):
        return x.reshape(*x.shape[:-1], 2, 3)
    rest = list(x.unbind(-1))
    angle = rest.pop(0) if turns else torch.zeros_like(x[..., 0])
    factor = rest.pop(0) if scales else torch.ones_like(angle)
    shift = torch.stack(rest if shifts else [torch.zeros_like(angle)] * 2, -1)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1)
    matrix = turn.view(*angle.shape, 2, 2) * factor[..., None, None]
    return torch.cat([matrix, matrix @ shift[..., None]], -1)
