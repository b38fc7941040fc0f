"""Each family of operations against numpy, on random shapes, strides, offsets and types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.layouts import ALL, FLOATING, INTEGER, array, in_layout, shapes, tensors

Data = st.DataObject
few = settings(max_examples=25)
matrices = shapes(2, 2)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def run(rt: Runtime, source: str, **values: Any) -> Any:
    for name, value in values.items():
        rt.globals[name] = value
    return rt.execute(source)


def same(found: Any, wanted: Any, tolerance: float = 0) -> None:
    """Equal in shape, type and elements; within a relative tolerance where one is given."""
    wanted = np.asarray(wanted)
    found = found.numpy()
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    if tolerance:
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(found, wanted)


def close(x: torch.Tensor) -> float:
    return 1e-12 if x.dtype == torch.float64 else 2e-5


# -- pointwise -------------------------------------------------------------------------------------------


def _cut(quotient: Any, like: Any) -> Any:
    """A quotient in the type of its operands: integers are cut."""
    return quotient.astype(like.dtype) if like.dtype.kind == "f" else np.trunc(quotient).astype(like.dtype)


POINTWISE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add(x, v)": lambda x, y, v: x + v,
    "add(x, y)": lambda x, y, v: x + y,
    "add(x, v, y)": lambda x, y, v: x + v * y,
    "csub(x, y)": lambda x, y, v: x - y,
    "mul(x, v)": lambda x, y, v: x * v,
    "cmul(x, y)": lambda x, y, v: x * y,
    "div(x, v)": lambda x, y, v: _cut(x / v, x),
    "cdiv(x, y)": lambda x, y, v: _cut(x / y, x),
    "addcmul(x, v, y, y)": lambda x, y, v: x + v * y * y,
    "fmod(x, v)": lambda x, y, v: np.fmod(x, v),
    "cfmod(x, y)": lambda x, y, v: np.fmod(x, y),
    "cmax(x, y)": lambda x, y, v: np.maximum(x, y),
    "cmin(x, v)": lambda x, y, v: np.minimum(x, v),
    "clamp(x, 1, v)": lambda x, y, v: np.clip(x, 1, v),
    "fill(x, v)": lambda x, y, v: np.full_like(x, v),
    "zero(x)": lambda x, y, v: np.zeros_like(x),
}


@pytest.mark.parametrize("call", POINTWISE)
@few
@given(data=st.data())
def test_pointwise(rt: Runtime, call: str, data: Data) -> None:
    x = data.draw(tensors())
    # Operands fit when they have as many elements, whatever their shapes.
    y = data.draw(tensors((x.dtype,), st.just((x.numel(),)) | st.just(tuple(x.shape)), nonzero=True))
    v = data.draw(st.integers(1, 5))
    before, other = array(x), array(y)
    with np.errstate(over="ignore"):
        wanted = POINTWISE[call](before, other.reshape(before.shape), before.dtype.type(v))
    name, _, rest = call.partition("(")
    in_place = f"x:{name}({rest.removeprefix('x').removeprefix(', ')}"
    if name not in ("fill", "zero"):
        same(run(rt, f"return torch.{call}", x=x, y=y, v=v), wanted)
        np.testing.assert_array_equal(x.numpy(), before)
    run(rt, in_place, x=x, y=y, v=v)
    same(x, wanted)
    np.testing.assert_array_equal(y.numpy(), other)


@pytest.mark.parametrize(
    "name", ["abs", "neg", "sign", "floor", "ceil", "round", "trunc", "sqrt", "exp", "tanh", "sigmoid"]
)
@few
@given(data=st.data())
def test_functions_of_one_tensor(rt: Runtime, name: str, data: Data) -> None:
    everywhere = ("abs", "neg", "sign")
    x = data.draw(tensors((*FLOATING, torch.int64, torch.int32) if name in everywhere else FLOATING))
    values = array(x)
    functions: dict[str, Callable[[Any], Any]] = {
        "neg": lambda a: -a,
        "round": lambda a: np.sign(a) * np.floor(np.abs(a) + 0.5),  # C's: a half goes away from 0
        "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
        "sqrt": lambda a: np.sqrt(np.abs(a)),
    }
    wanted = functions.get(name, getattr(np, name, None))(values)  # type: ignore[misc]
    if name == "sqrt":
        x.abs_()
    same(run(rt, f"return torch.{name}(x)", x=x), wanted, close(x))
    run(rt, f"x:{name}()", x=x)
    same(x, wanted, close(x))


@pytest.mark.parametrize(
    ("name", "function"), [("bitand", np.bitwise_and), ("bitor", np.bitwise_or), ("bitxor", np.bitwise_xor)]
)
@few
@given(data=st.data())
def test_bits(rt: Runtime, name: str, function: Any, data: Data) -> None:
    x = data.draw(tensors(INTEGER))
    y = data.draw(tensors((x.dtype,), st.just(tuple(x.shape))))
    values, others = array(x), array(y)
    same(run(rt, f"return torch.c{name}(x, y)", x=x, y=y), function(values, others))
    same(run(rt, f"return x:{name}(5)", x=x), function(values, values.dtype.type(5)))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("lt", np.less),
        ("le", np.less_equal),
        ("gt", np.greater),
        ("ge", np.greater_equal),
        ("eq", np.equal),
        ("ne", np.not_equal),
    ],
)
@few
@given(data=st.data())
def test_comparisons(rt: Runtime, name: str, function: Any, data: Data) -> None:
    x = data.draw(tensors())
    y = data.draw(tensors((x.dtype,), st.just(tuple(x.shape))))
    same(run(rt, f"return torch.{name}(x, y)", x=x, y=y), function(array(x), array(y)).astype(np.uint8))
    same(run(rt, f"return x:{name}(2)", x=x), function(array(x), 2).astype(np.uint8))


@few
@given(data=st.data())
def test_operators(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors(FLOATING))
    y = data.draw(tensors((x.dtype,), st.just(tuple(x.shape))))
    a, b = array(x), array(y)
    for source, wanted in {
        "x + y": a + b,
        "x - y": a - b,
        "x + 2": a + 2,
        "2 - x": 2 - a,
        "x * 3": a * 3,
        "x / 2": a / 2,
        "-x": -a,
    }.items():
        same(run(rt, f"return {source}", x=x, y=y), wanted)


@few
@given(data=st.data())
def test_copies_cast_as_c_does(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    y = data.draw(tensors(ALL, st.just((x.numel(),))))
    values = array(y)
    with np.errstate(invalid="ignore"):
        wanted = (
            values.astype(np.int64).astype(array(x).dtype)
            if x.dtype in INTEGER
            else values.astype(array(x).dtype)
        )
    run(rt, "x:copy(y)", x=x, y=y)
    same(x, wanted.reshape(tuple(x.shape)))


# -- reductions ------------------------------------------------------------------------------------------


@few
@given(data=st.data())
def test_sums_and_products(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors(FLOATING))
    dim = data.draw(st.integers(0, x.dim() - 1))
    a = array(x)
    functions: dict[str, Any] = {"sum": np.sum, "prod": np.prod, "mean": np.mean}
    for name, function in functions.items():
        same(run(rt, f"return torch.{name}(x, d)", x=x, d=dim + 1), function(a, dim, keepdims=True), close(x))
        assert run(rt, f"return x:{name}()", x=x) == pytest.approx(
            float(function(a.astype(np.float64))), rel=1e-5, abs=1e-6
        )
    running: dict[str, Any] = {"cumsum": np.cumsum, "cumprod": np.cumprod}
    for name, function in running.items():
        same(run(rt, f"return torch.{name}(x, d)", x=x, d=dim + 1), function(a, dim), close(x))
    assert run(rt, "return x:norm(2)", x=x) == pytest.approx(np.sqrt((a.astype(float) ** 2).sum()), rel=1e-6)
    if x.shape[dim] > 1:
        same(run(rt, "return torch.var(x, d)", x=x, d=dim + 1), a.var(dim, ddof=1, keepdims=True), 1e-4)
        same(run(rt, "return torch.std(x, d)", x=x, d=dim + 1), a.std(dim, ddof=1, keepdims=True), 1e-4)


@few
@given(data=st.data())
def test_sums_of_integers_stay_in_their_type(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors(INTEGER))
    a = array(x)
    dim = data.draw(st.integers(0, x.dim() - 1))
    same(run(rt, "return torch.sum(x, d)", x=x, d=dim + 1), a.sum(dim, dtype=a.dtype, keepdims=True))
    assert run(rt, "return x:sum()", x=x) == int(a.astype(np.int64).sum())


@pytest.mark.parametrize("name", ["max", "min"])
@few
@given(data=st.data())
def test_extremes(rt: Runtime, name: str, data: Data) -> None:
    x = data.draw(tensors())
    a = array(x)
    dim = data.draw(st.integers(0, x.dim() - 1))
    values, indices = run(rt, f"return torch.{name}(x, d)", x=x, d=dim + 1)
    wanted = getattr(a, name)(dim, keepdims=True)
    same(values, wanted)
    same(torch.from_numpy(np.take_along_axis(a, indices.numpy() - 1, dim)), wanted)
    assert run(rt, f"return x:{name}()", x=x) == getattr(a, name)()


# -- order -----------------------------------------------------------------------------------------------


@few
@given(data=st.data())
def test_sorting(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    a = array(x)
    dim = data.draw(st.integers(0, x.dim() - 1))
    for down in (False, True):
        values, indices = run(rt, "return torch.sort(x, d, down)", x=x, d=dim + 1, down=down)
        wanted = np.flip(np.sort(a, dim), dim) if down else np.sort(a, dim)
        same(values, wanted)
        same(torch.from_numpy(np.take_along_axis(a, indices.numpy() - 1, dim)), wanted)
    k = data.draw(st.integers(1, x.shape[dim]))
    values, indices = run(rt, "return torch.topk(x, k, d, true, true)", x=x, d=dim + 1, k=k)
    same(values, np.take(np.flip(np.sort(a, dim), dim), range(k), dim))
    same(torch.from_numpy(np.take_along_axis(a, indices.numpy() - 1, dim)), values.numpy())
    values, indices = run(rt, "return torch.kthvalue(x, k, d)", x=x, d=dim + 1, k=k)
    same(values, np.take(np.sort(a, dim), [k - 1], dim))
    values, indices = run(rt, "return torch.median(x, d)", x=x, d=dim + 1)
    same(values, np.take(np.sort(a, dim), [(x.shape[dim] - 1) // 2], dim))


# -- indices ---------------------------------------------------------------------------------------------


@few
@given(data=st.data())
def test_rows(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    a = array(x)
    dim = data.draw(st.integers(0, x.dim() - 1))
    rows = data.draw(st.lists(st.integers(0, x.shape[dim] - 1), min_size=1, max_size=5))
    index = torch.tensor(rows) + 1
    same(run(rt, "return x:index(d, i)", x=x, d=dim + 1, i=index), np.take(a, rows, dim))

    distinct = sorted(set(rows))
    index = torch.tensor(distinct) + 1
    shape = tuple(len(distinct) if d == dim else n for d, n in enumerate(x.shape))
    src = data.draw(tensors((x.dtype,), st.just(shape)))
    at = tuple(distinct if d == dim else slice(None) for d in range(x.dim()))
    wanted = a.copy()
    wanted[at] = array(src)
    target = x.clone()
    same(run(rt, "x:indexCopy(d, i, s) return x", x=target, d=dim + 1, i=index, s=src), wanted)
    wanted = a.copy()
    wanted[at] += array(src)
    same(run(rt, "x:indexAdd(d, i, s) return x", x=x.clone(), d=dim + 1, i=index, s=src), wanted)
    wanted = a.copy()
    wanted[at] = 3
    run(rt, "x:indexFill(d, i, 3)", x=x, d=dim + 1, i=index)
    same(x, wanted)


@few
@given(data=st.data())
def test_gather_and_scatter(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors(ALL, shapes(1, 3)))
    a = array(x)
    dim = data.draw(st.integers(0, x.dim() - 1))
    source = np.random.default_rng(data.draw(st.integers(0, 1000)))
    # no place twice: along the dimension a permutation
    places = np.argsort(source.random(a.shape), dim)
    index = torch.from_numpy(places) + 1
    same(run(rt, "return x:gather(d, i)", x=x, d=dim + 1, i=index), np.take_along_axis(a, places, dim))
    src = data.draw(tensors((x.dtype,), st.just(tuple(x.shape))))
    wanted = a.copy()
    np.put_along_axis(wanted, places, array(src), dim)
    run(rt, "x:scatter(d, i, s)", x=x, d=dim + 1, i=index, s=src)
    same(x, wanted)


@few
@given(data=st.data())
def test_masks(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    a = array(x)
    bits = np.random.default_rng(data.draw(st.integers(0, 1000))).integers(0, 2, a.shape).astype(np.uint8)
    bits.flat[0] = 1
    mask = data.draw(in_layout(torch.from_numpy(bits)))
    chosen = bits.astype(bool)
    same(run(rt, "return x:maskedSelect(m)", x=x, m=mask), a[chosen])
    wanted = np.argwhere(chosen) + 1
    same(run(rt, "return m:nonzero()", m=mask), wanted)
    src = data.draw(tensors((x.dtype,), st.just((int(chosen.sum()),))))
    wanted = a.copy()
    wanted[chosen] = array(src)
    same(run(rt, "return x:maskedCopy(m, s)", x=x.clone(), m=mask, s=src), wanted)
    wanted = a.copy()
    wanted[chosen] = 2
    run(rt, "x:maskedFill(m, 2)", x=x, m=mask)
    same(x, wanted)


@few
@given(data=st.data())
def test_elements(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    a = array(x)
    place = [data.draw(st.integers(0, n - 1)) for n in x.shape]
    numbers = ", ".join(str(i + 1) for i in place)
    assert run(rt, f"return x[{{{numbers}}}]", x=x) == a[tuple(place)]
    run(rt, f"x[{{{numbers}}}] = 5", x=x)
    a[tuple(place)] = 5
    same(x, a)
    first = [data.draw(st.integers(0, n - 1)) for n in x.shape]
    last = [data.draw(st.integers(f, n - 1)) for f, n in zip(first, x.shape, strict=True)]
    ranges = ", ".join(f"{{{f + 1}, {e + 1}}}" for f, e in zip(first, last, strict=True))
    at = tuple(slice(f, e + 1) for f, e in zip(first, last, strict=True))
    same(run(rt, f"return x[{{{ranges}}}]", x=x), a[at])
    run(rt, f"x[{{{ranges}}}] = 4", x=x)
    a[at] = 4
    same(x, a)


# -- shapes ----------------------------------------------------------------------------------------------


@few
@given(data=st.data())
def test_views_share_memory(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    a = array(x)
    dim = data.draw(st.integers(0, x.dim() - 1))
    other = data.draw(st.integers(0, x.dim() - 1))
    start = data.draw(st.integers(0, x.shape[dim] - 1))
    size = data.draw(st.integers(1, x.shape[dim] - start))
    cut = tuple(slice(start, start + size) if d == dim else slice(None) for d in range(x.dim()))
    order = data.draw(st.permutations(range(x.dim())))
    views = {
        "x:narrow(d, s, n)": a[cut],
        "x:transpose(d, e)": np.swapaxes(a, dim, other),
        f"x:permute({', '.join(str(d + 1) for d in order)})": np.transpose(a, order),
        "x:unfold(d, n, 1)": np.lib.stride_tricks.sliding_window_view(a, size, dim),
    }
    if x.dim() > 1:
        views["x:select(d, s)"] = np.take(a, start, dim)
    for source, wanted in views.items():
        found = run(rt, f"return {source}", x=x, d=dim + 1, e=other + 1, s=start + 1, n=size)
        same(found, wanted)
        assert found.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


@few
@given(data=st.data())
def test_other_shapes(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    a = array(x)
    same(run(rt, "return x:contiguous():view(-1)", x=x), a.reshape(-1))
    same(run(rt, "return torch.reshape(x, n)", x=x, n=x.numel()), a.reshape(-1))
    squeezed = a.squeeze()
    if squeezed.ndim:
        same(run(rt, "return x:squeeze()", x=x), squeezed)
    times = [data.draw(st.integers(1, 3)) for _ in range(x.dim())]
    same(run(rt, f"return torch.repeatTensor(x, {', '.join(map(str, times))})", x=x), np.tile(a, times))
    wide = [n if n > 1 else data.draw(st.integers(1, 3)) for n in x.shape]
    same(run(rt, f"return torch.expand(x, {', '.join(map(str, wide))})", x=x), np.broadcast_to(a, wide))


@few
@given(data=st.data())
def test_joining_and_splitting(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors())
    dim = data.draw(st.integers(0, x.dim() - 1))
    shape = tuple(data.draw(st.integers(1, 3)) if d == dim else n for d, n in enumerate(x.shape))
    y = data.draw(tensors((x.dtype,), st.just(shape)))
    wanted = np.concatenate([array(x), array(y)], dim)
    same(run(rt, "return torch.cat(x, y, d)", x=x, y=y, d=dim + 1), wanted)
    same(
        run(rt, "return torch.cat({x, y, x}, d)", x=x, y=y, d=dim + 1),
        np.concatenate([wanted, array(x)], dim),
    )
    size = data.draw(st.integers(1, x.shape[dim]))
    parts = run(rt, "return torch.split(x, n, d)", x=x, n=size, d=dim + 1)
    for part, expected in zip(parts, np.split(array(x), range(size, x.shape[dim], size), dim), strict=True):
        same(part, expected)


@few
@given(
    first=st.integers(-5, 5),
    steps=st.integers(0, 6),
    step=st.sampled_from([0.5, 1, 2, -1]),
    n=st.integers(1, 4),
    m=st.integers(1, 4),
)
def test_tensors_by_a_rule(rt: Runtime, first: int, steps: int, step: float, n: int, m: int) -> None:
    wanted = float(first) + step * np.arange(steps + 1)
    same(run(rt, "return torch.range(a, b, s)", a=first, b=float(wanted[-1]), s=step), wanted)
    same(
        run(rt, "return torch.linspace(a, a + 3, k)", a=first, k=steps + 2),
        np.linspace(first, first + 3, steps + 2),
        1e-12,
    )
    same(run(rt, "return torch.eye(n, m)", n=n, m=m), np.eye(n, m))
    x = torch.arange(n * m, dtype=torch.float64).reshape(m, n).t()
    k = m - n
    same(run(rt, "return torch.tril(x, k)", x=x, k=k), np.tril(array(x), k))
    same(run(rt, "return torch.triu(x, k)", x=x, k=k), np.triu(array(x), k))
    assert run(rt, "return torch.trace(x)", x=x) == np.trace(array(x))


# -- products --------------------------------------------------------------------------------------------


@few
@given(data=st.data())
def test_products_of_matrices(rt: Runtime, data: Data) -> None:
    a = data.draw(tensors(FLOATING, matrices))
    b = data.draw(tensors((a.dtype,), st.integers(1, 4).map(lambda n: (a.shape[1], n))))
    v = data.draw(tensors((a.dtype,), st.just((a.shape[1],))))
    m = data.draw(tensors((a.dtype,), st.just((a.shape[0], b.shape[1]))))
    p, q, w, s = (array(t) for t in (a, b, v, m))
    tolerance = close(a)
    same(run(rt, "return torch.mm(a, b)", a=a, b=b), p @ q, tolerance)
    same(run(rt, "return a * b", a=a, b=b), p @ q, tolerance)
    same(run(rt, "return torch.mv(a, v)", a=a, v=v), p @ w, tolerance)
    same(run(rt, "return torch.ger(v, v)", v=v), np.outer(w, w), tolerance)
    same(run(rt, "return torch.addmm(2, m, 3, a, b)", m=m, a=a, b=b), 2 * s + 3 * (p @ q), tolerance)
    same(
        run(
            rt,
            "return torch.bmm(a:view(1, n, k), b:view(1, k, l))",
            a=a.contiguous(),
            b=b.contiguous(),
            n=a.shape[0],
            k=a.shape[1],
            l=b.shape[1],
        ),
        (p @ q)[None],
        tolerance,
    )
    assert run(rt, "return torch.dot(v, v)", v=v) == pytest.approx(float(w @ w))
    run(rt, "m:addmm(a, b)", m=m, a=a, b=b)
    same(m, s + p @ q, tolerance)


@few
@given(data=st.data())
def test_convolutions(rt: Runtime, data: Data) -> None:
    x = data.draw(tensors(FLOATING, shapes(2, 2, 6)))
    shape = tuple(data.draw(st.integers(1, n)) for n in x.shape)
    k = data.draw(tensors((x.dtype,), st.just(shape)))
    a, kernel = array(x), array(k)
    windows = np.lib.stride_tricks.sliding_window_view(a, shape)
    same(run(rt, "return torch.xcorr2(x, k)", x=x, k=k), np.einsum("abij,ij->ab", windows, kernel), close(x))
    same(
        run(rt, "return torch.conv2(x, k)", x=x, k=k),
        np.einsum("abij,ij->ab", windows, kernel[::-1, ::-1]),
        close(x),
    )
    padded = np.pad(a, [(n - 1, n - 1) for n in shape])
    windows = np.lib.stride_tricks.sliding_window_view(padded, shape)
    same(
        run(rt, "return torch.xcorr2(x, k, 'F')", x=x, k=k),
        np.einsum("abij,ij->ab", windows, kernel),
        close(x),
    )


@few
@given(data=st.data())
def test_linear_algebra(rt: Runtime, data: Data) -> None:
    n = data.draw(st.integers(1, 4))
    source = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = torch.tensor(source.normal(size=(n, n)) + 3 * np.eye(n))
    a = data.draw(in_layout(values))
    b = data.draw(tensors((torch.float64,), st.just((n, 2))))
    p, q = array(a), array(b)
    same(run(rt, "return torch.inverse(a)", a=a), np.linalg.inv(p), 1e-8)
    same(run(rt, "return (torch.gesv(b, a))", a=a, b=b), np.linalg.solve(p, q), 1e-8)
    u, s, v = run(rt, "return torch.svd(a)", a=a)
    same(s, np.linalg.svd(p)[1], 1e-8)
    same(u @ torch.diag(s) @ v.t(), p, 1e-8)
    r, triangle = run(rt, "return torch.qr(a)", a=a)
    same(r @ triangle, p, 1e-8)
    same(r.t() @ r, np.eye(n), 1e-8)
    symmetric = data.draw(in_layout(values @ values.t()))
    e, vectors = run(rt, "return torch.symeig(a, 'V')", a=symmetric)
    same(e, np.linalg.eigvalsh(array(symmetric)), 1e-8)
    same(vectors @ torch.diag(e) @ vectors.t(), array(symmetric), 1e-8)
    factor = run(rt, "return torch.potrf(a)", a=symmetric)
    same(factor.t() @ factor, array(symmetric), 1e-8)


# -- random ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call", ["uniform(-1, 2)", "normal(0, 1)", "random(7)", "bernoulli(0.5)", "exponential(2)"]
)
@few
@given(data=st.data())
def test_random_numbers_go_by_element_order(rt: Runtime, call: str, data: Data) -> None:
    # Whatever the layout, the elements get what a contiguous vector gets.
    x = data.draw(tensors(FLOATING))
    flat = torch.zeros(x.numel(), dtype=x.dtype)
    run(rt, f"torch.manualSeed(11) x:{call} torch.manualSeed(11) flat:{call}", x=x, flat=flat)
    same(x, flat.numpy().reshape(tuple(x.shape)))
