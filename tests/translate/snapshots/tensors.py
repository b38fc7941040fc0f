"""A tour of tensors: making them, indexing, views and the storage beneath, arithmetic, printing.

tensors.lua. Translated from tensors.lua by torch7py."""

import torch


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    # Making. Everything counts from 1.
    a = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # from a table; a Tensor holds doubles
    print(a)
    print(a.type(), a.dim(), a.shape[0], a.shape[1], a.numel(), sep="\t")
    print(torch.arange(1, 10, 2, dtype=torch.get_default_dtype()), torch.zeros(2, 2).fill_(7), sep="\t")

    # Indexing.
    print(f"{a[1, 2].item():.14g}", f"{a[1, 2].item():.14g}", sep="\t")  # a number, either way
    print(a[1])  # a row
    print(a[:, 1])  # a column: {} is all of a dimension, a number drops it
    print(a[:, 1:3])  # columns 2 to 3
    print(a[a > 3])  # the elements where a mask is 1; a copy

    # Views: the same memory in another shape.
    row, transposed = a[0], a.t()
    row.fill_(0)
    a[:, 2] = -1  # assigns to a column
    print(a, transposed, sep="\t")
    print(f"transposed is contiguous: {str(transposed.is_contiguous()).lower()}")
    print(a.view(3, 2))  # as the elements lie in memory
    print(a.clone().add_(10), a, sep="\t")  # a copy is changed, a is not

    # The storage beneath: a view has its place in it and its steps through it.
    print(torch.empty(0, dtype=a.dtype).set_(a.untyped_storage()))
    column = a.select(1, 2)
    print(f"offset {column.storage_offset() + 1}, stride {column.stride(0)}")

    # Arithmetic: operators make a new tensor, methods change theirs, torch.f(result, ...) writes into result.
    b = torch.full((2, 3), 2.0)
    print(a + b * 3 - 1)
    b.mul_(a).add_(a, alpha=0.5)  # b = b * a elementwise, then b + 0.5 a
    print(b)
    print(a @ a.t())  # the product of matrices
    print(
        f"{a.sum().item():.14g}",
        f"{a.mean().item():.14g}",
        f"{a.max().item():.14g}",
        f"{a.norm().item():.14g}",
        sep="\t",
    )
    # along dimension 2: values and where they are
    largest, place = a.max(1, keepdim=True)
    place = place + 1
    print(largest, place, sep="\t")

    # Other types.
    # whole numbers are cut, and wrap
    print(
        torch.div(torch.tensor([7, 8], dtype=torch.int32), 2, rounding_mode="trunc"),
        torch.tensor([250], dtype=torch.uint8).add_(10),
        sep="\t",
    )
    print(a.float().type(), a.long().type(), sep="\t")

    # Random numbers repeat with the seed.
    first = torch.rand(3)
    torch.manual_seed(1)
    print(f"the same again: {str(torch.equal(first, torch.rand(3))).lower()}")
    print(torch.randn(2, 3) * 1e6)  # print pulls a common factor out

    # Joining, sorting, solving.
    print(
        torch.cat([torch.ones(2), torch.zeros(1)], -1),
        torch.tensor([3.0, 1.0, 2.0]).sort(-1, descending=True).values,
        sep="\t",
    )
    A, y = torch.tensor([[2.0, 1.0], [1.0, 3.0]]), torch.tensor([[3.0], [5.0]])
    print(torch.linalg.solve(A, y), torch.linalg.lu_factor(A).LU, sep="\t")  # x with A x = y


if __name__ == "__main__":
    main()
