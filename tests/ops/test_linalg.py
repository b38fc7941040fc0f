"""Linear algebra by what defines each result, and against numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, lua
from torch7py.bridge.errors import LuaError

SOURCE = np.random.default_rng(3)
A = SOURCE.normal(size=(4, 4))
B = SOURCE.normal(size=(4, 2))
TALL, WIDE = SOURCE.normal(size=(5, 3)), SOURCE.normal(size=(3, 5))
DEFINITE = A @ A.T + np.eye(4)  # symmetric and positive definite
FLOATING = (torch.float64, torch.float32)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def call(
    rt: Runtime,
    name: str,
    arguments: str,
    *inputs: np.ndarray,
    outs: int = 1,
    dtype: torch.dtype = torch.float64,
) -> Any:
    """The results of torch.NAME(a, b, ... ARGUMENTS), which are the same with the results given in front."""
    given = {letter: torch.tensor(values, dtype=dtype) for letter, values in zip("abc", inputs, strict=False)}
    call = ", ".join(given) + arguments
    before = {letter: tensor.clone() for letter, tensor in given.items()}
    found = lua(rt, f"return torch.{name}({call})", **given)
    results = found if isinstance(found, tuple) else (found,)
    assert len(results) == outs
    places = {f"out{i}": torch.ones(1, dtype=result.dtype) for i, result in enumerate(results)}
    names = ", ".join(places)
    again = lua(rt, f"return torch.{name}({names}, {call})", **places, **given)
    assert (again if isinstance(again, tuple) else (again,)) == tuple(places.values())
    for place, result in zip(places.values(), results, strict=True):
        assert_tensor(place, result.numpy(), result.dtype)
    for letter, tensor in given.items():
        assert torch.equal(tensor, before[letter])
    arrays = tuple(result.numpy() for result in results)
    return arrays if outs > 1 else arrays[0]


def close(actual: np.ndarray, expected: np.ndarray, tolerance: float = 1e-10) -> None:
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


# -- solvers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATING)
def test_gesv(rt: Runtime, dtype: torch.dtype) -> None:
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    x, factors = call(rt, "gesv", "", B, A, outs=2, dtype=dtype)
    close(x, np.linalg.solve(A, B), tolerance)
    lower, upper = np.tril(factors, -1) + np.eye(4), np.triu(factors)
    rows_of_a = {tuple(np.round(row, 3)) for row in A}
    assert {tuple(np.round(row, 3)) for row in lower @ upper} == rows_of_a


def test_a_vector_is_one_column(rt: Runtime) -> None:
    b = B[:, 0].copy()
    expected = np.linalg.solve(A, b)[:, None]
    close(call(rt, "gesv", "", b, A, outs=2)[0], expected)
    close(call(rt, "gels", "", b, A, outs=2)[0], expected)
    close(call(rt, "potrs", ", 'L'", b, np.linalg.cholesky(DEFINITE)), np.linalg.solve(DEFINITE, b)[:, None])


@pytest.mark.parametrize("a", [TALL, WIDE, A])
def test_gels(rt: Runtime, a: np.ndarray) -> None:
    b = SOURCE.normal(size=(a.shape[0], 2))
    x, factors = call(rt, "gels", "", b, a, outs=2)
    close(x, np.linalg.pinv(a) @ b)
    if len(a) >= a.shape[1]:
        close(np.abs(np.triu(factors)), np.abs(np.triu(np.linalg.qr(a, mode="raw")[0].T)))
    else:
        close(np.abs(np.tril(factors)), np.abs(np.tril(np.linalg.qr(a.T, mode="raw")[0])))


@pytest.mark.parametrize("uplo", ["U", "L"])
@pytest.mark.parametrize("trans", ["N", "T"])
@pytest.mark.parametrize("diag", ["N", "U"])
def test_trtrs(rt: Runtime, uplo: str, trans: str, diag: str) -> None:
    triangle = np.triu(A) if uplo == "U" else np.tril(A)
    if diag == "U":
        np.fill_diagonal(triangle, 1)
    x, copy = call(rt, "trtrs", f", '{uplo}', '{trans}', '{diag}'", B, A, outs=2)
    close(x, np.linalg.solve(triangle.T if trans == "T" else triangle, B))
    close(copy, A)


def test_trtrs_takes_the_upper_triangle_by_default(rt: Runtime) -> None:
    close(call(rt, "trtrs", "", B, A, outs=2)[0], np.linalg.solve(np.triu(A), B))
    close(call(rt, "trtrs", ", 'L'", B, A, outs=2)[0], np.linalg.solve(np.tril(A), B))


@pytest.mark.parametrize("dtype", FLOATING)
def test_inverse(rt: Runtime, dtype: torch.dtype) -> None:
    close(
        call(rt, "inverse", "", A, dtype=dtype), np.linalg.inv(A), 1e-10 if dtype == torch.float64 else 1e-4
    )


# -- Cholesky ---------------------------------------------------------------------------------------------


def test_potrf_reads_one_triangle(rt: Runtime) -> None:
    lower = np.linalg.cholesky(DEFINITE)
    close(call(rt, "potrf", "", np.triu(DEFINITE) + np.tril(A, -1)), lower.T)
    close(call(rt, "potrf", ", 'U'", DEFINITE), lower.T)
    close(call(rt, "potrf", ", 'L'", np.tril(DEFINITE) + np.triu(A, 1)), lower)


def test_potrs_and_potri(rt: Runtime) -> None:
    lower = np.linalg.cholesky(DEFINITE)
    for arguments, factor in (("", lower.T), (", 'U'", lower.T), (", 'L'", lower)):
        close(call(rt, "potrs", arguments, B, factor), np.linalg.solve(DEFINITE, B))
        close(call(rt, "potri", arguments, factor), np.linalg.inv(DEFINITE))


@pytest.mark.parametrize("uplo", ["U", "L"])
def test_pstrf(rt: Runtime, uplo: str) -> None:
    half = np.triu if uplo == "U" else np.tril
    factor, order = call(rt, "pstrf", f", '{uplo}'", half(DEFINITE), outs=2)
    assert order.dtype == np.int32
    assert sorted(order) == [1, 2, 3, 4]
    assert np.array_equal(factor, half(factor))
    lower = factor.T if uplo == "U" else factor
    close(lower @ lower.T, DEFINITE[order - 1][:, order - 1])
    diagonal = np.diag(lower)
    assert (np.diff(diagonal) <= 0).all()  # the greatest pivot first
    assert order[0] == np.argmax(np.diag(DEFINITE)) + 1


# -- QR ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("a", [TALL, WIDE, A])
def test_qr(rt: Runtime, a: np.ndarray) -> None:
    q, r = call(rt, "qr", "", a, outs=2)
    close(q, np.linalg.qr(a)[0])
    close(r, np.linalg.qr(a)[1])


@pytest.mark.parametrize("a", [TALL, WIDE, A])
def test_qr_in_parts(rt: Runtime, a: np.ndarray) -> None:
    factors, tau = call(rt, "geqrf", "", a, outs=2)
    raw, scales = np.linalg.qr(a, mode="raw")
    close(factors, raw.T)
    close(tau, scales)
    q = call(rt, "orgqr", "", factors, tau)
    count = min(a.shape)
    close(q[:, :count], np.linalg.qr(a)[0])
    close(q[:, count:], factors[:, count:])


def test_scales_that_are_not_a_vector(rt: Runtime) -> None:
    """As many count as the first dimension has: all of a column, the first of a row."""
    factors, tau = call(rt, "geqrf", "", TALL, outs=2)
    q = call(rt, "orgqr", "", factors, tau)
    close(call(rt, "orgqr", "", factors, tau[:, None]), q)
    close(call(rt, "ormqr", "", factors, tau[:, None], TALL), call(rt, "ormqr", "", factors, tau, TALL))
    first = call(rt, "orgqr", "", factors, tau[None])
    close(first[:, 0], q[:, 0])  # the first column is the first reflector's in either
    close(first[:, 1:], factors[:, 1:])


@pytest.mark.parametrize(("side", "trans"), [("L", "N"), ("L", "T"), ("R", "N"), ("R", "T")])
def test_ormqr(rt: Runtime, side: str, trans: str) -> None:
    factors, tau = call(rt, "geqrf", "", TALL, outs=2)
    q = np.linalg.qr(TALL, mode="complete")[0]
    c = SOURCE.normal(size=(5, 2) if side == "L" else (2, 5))
    turned = q.T if trans == "T" else q
    close(
        call(rt, "ormqr", f", '{side}', '{trans}'", factors, tau, c),
        turned @ c if side == "L" else c @ turned,
    )
    if (side, trans) == ("L", "N"):
        close(call(rt, "ormqr", "", factors, tau, c), q @ c)


# -- eigenvalues and singular values ----------------------------------------------------------------------


@pytest.mark.parametrize("uplo", ["U", "L"])
def test_symeig(rt: Runtime, uplo: str) -> None:
    half = (np.triu if uplo == "U" else np.tril)(DEFINITE)
    values, vectors = call(rt, "symeig", f", 'V', '{uplo}'", half, outs=2)
    close(values, np.linalg.eigvalsh(DEFINITE))
    close(DEFINITE @ vectors, vectors * values)
    close(vectors.T @ vectors, np.eye(4))
    values, rest = call(rt, "symeig", f", 'N', '{uplo}'", half, outs=2)
    close(values, np.linalg.eigvalsh(DEFINITE))
    assert rest.shape == (4, 4)


def test_symeig_by_default(rt: Runtime) -> None:
    close(call(rt, "symeig", "", np.triu(DEFINITE), outs=2)[0], np.linalg.eigvalsh(DEFINITE))


def test_any_option_may_be_left_out(rt: Runtime) -> None:
    values, rest = call(rt, "symeig", ", 'L'", np.tril(DEFINITE), outs=2)
    close(values, np.linalg.eigvalsh(DEFINITE))
    assert not rest.any()
    b = np.array([[1.0], [2.0], [3.0], [4.0]])
    close(call(rt, "trtrs", ", 'T'", b, A, outs=2)[0], np.linalg.solve(np.triu(A).T, b))
    close(call(rt, "trtrs", ", 'L', 'T'", b, A, outs=2)[0], np.linalg.solve(np.tril(A).T, b))


def test_eig(rt: Runtime) -> None:
    # One real eigenvalue and a conjugate pair.
    a = np.array([[0.0, -2.0, 0.5], [1.0, 0.5, 0.0], [0.0, 0.0, 3.0]])
    values, vectors = call(rt, "eig", ", 'V'", a, outs=2)
    assert values.shape == (3, 2)
    wanted = np.linalg.eigvals(a)
    close(values, np.stack([wanted.real, wanted.imag], 1))
    number = 0
    while number < 3:
        if values[number, 1] == 0:
            close(a @ vectors[:, number], values[number, 0] * vectors[:, number])
            number += 1
        else:
            assert values[number, 1] > 0
            vector = vectors[:, number] + 1j * vectors[:, number + 1]
            close(a @ vector, complex(*values[number]) * vector)
            number += 2
    for arguments in ("", ", 'N'"):
        only, none = call(rt, "eig", arguments, a, outs=2)
        close(only, values)
        assert none.size == 0


@pytest.mark.parametrize("a", [TALL, WIDE, A])
def test_svd(rt: Runtime, a: np.ndarray) -> None:
    rows, columns = a.shape
    count = min(a.shape)
    for arguments in ("", ", 'S'"):
        u, s, v = call(rt, "svd", arguments, a, outs=3)
        assert (u.shape, v.shape) == ((rows, count), (columns, count))
        close(s, np.linalg.svd(a)[1])
        close(u * s @ v.T, a)
    u, s, v = call(rt, "svd", ", 'A'", a, outs=3)
    close(u.T @ u, np.eye(rows))
    close(v.T @ v, np.eye(columns))
    close(u[:, :count] * s @ v[:, :count].T, a)


# -- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("torch.gesv(b, z)", r"gesv : U\(1,1\) is zero"),
        ("torch.inverse(z)", "Lapack Error"),
        ("torch.potrf(z)", "Lapack Error"),
        ("torch.pstrf(z)", "not positive semidefinite"),
        ("torch.trtrs(b, z)", "is zero, singular A"),
        ("torch.gesv(b, t)", "A should be square, but is 4x3"),
        ("torch.gesv(b2, a)", "A has 4 rows, B has 3"),
        ("torch.inverse(v)", "A should have 2 dimensions, but has 1"),
        ("torch.qr(v)", "A should have 2 dimensions, but has 1"),
        ("torch.gesv(c, a)", "B should have 1 or 2 dimensions, but has 3"),
        ("torch.symeig(a, 'X')", "option 'X' should be 'N' or 'V' or 'U' or 'L'"),
        ("torch.potrf(a, 'X')", "option 'X' should be 'U' or 'L'"),
        ("torch.svd(n)", "invalid arguments"),
        ("torch.gesv(b, b, a)", "invalid arguments"),
    ],
)
def test_errors(rt: Runtime, call: str, message: str) -> None:
    values = {"a": torch.eye(4), "b": torch.ones(4, 1), "b2": torch.ones(3, 1), "z": torch.zeros(4, 4)}
    others = {"t": torch.ones(4, 3), "v": torch.ones(4), "c": torch.ones(4, 1, 1)}
    with pytest.raises(LuaError, match=message):
        lua(rt, call, n=torch.ones(2, 2, dtype=torch.int32), **values, **others)


def test_there_are_no_methods(rt: Runtime) -> None:
    with pytest.raises(LuaError, match="inverse"):
        lua(rt, "return x:inverse()", x=torch.eye(2))


# -- memory ------------------------------------------------------------------------------------------------

MATRICES = {  # which results lie column by column, the arguments being matrices of 4 rows
    "gesv": ("b, a", [True, True]),
    "gels": ("b, a", [True, True]),
    "trtrs": ("b, a", [True, True]),
    "inverse": ("a", [True]),
    "potrf": ("d", [True]),
    "potrs": ("b, d", [True]),
    "potri": ("d", [True]),
    "pstrf": ("d", [True, False]),
    "qr": ("a", [True, False]),
    "geqrf": ("a", [True, False]),
    "orgqr": ("a, t", [True]),
    "ormqr": ("a, t, b", [True]),
    "symeig": ("d, 'V'", [False, True]),
    "eig": ("d, 'V'", [False, True]),
    "svd": ("a", [True, False, False]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_results_lie_as_lapack_leaves_them(rt: Runtime, name: str) -> None:
    arguments, by_columns = MATRICES[name]
    given = {
        "a": torch.tensor(A),
        "b": torch.tensor(B),
        "d": torch.tensor(DEFINITE),
        "t": torch.ones(4).double(),
    }
    fresh = lua(rt, f"return torch.{name}({arguments})", **given)
    fresh = fresh if isinstance(fresh, tuple) else (fresh,)
    outs = {f"out{i}": torch.zeros(result.shape, dtype=result.dtype) for i, result in enumerate(fresh)}
    call = f"torch.{name}({', '.join(outs)}, {arguments})"
    for _ in range(2):  # the second time into what lies by columns already
        lua(rt, call, **outs)
        for out, result, turned in zip(outs.values(), fresh, by_columns, strict=True):
            assert torch.equal(out, result)
            for matrix in (out, result):
                assert matrix.stride() == ((1, matrix.shape[0]) if turned else out.contiguous().stride())


def test_a_result_with_gaps_keeps_them(rt: Runtime) -> None:
    whole = torch.zeros(4, 2, 4, dtype=torch.float64)
    lua(rt, "torch.inverse(out, a)", out=whole[:, 1], a=torch.tensor(A))
    close(whole[:, 1].numpy(), np.linalg.inv(A))
    assert not whole[:, 0].any()
