"""cephes, beside mpmath and known values."""

from __future__ import annotations

from typing import Any

import mpmath
import pytest
import scipy.special

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops.errors import ArgumentError
from torch7py.packages.contrib.cephes.functions import NAMES, evaluate


def lua(text: str) -> Any:
    with Runtime() as runtime:
        return runtime.execute("cephes = require 'cephes'\n" + text)


VALUES = {
    "lgam(5.5)": mpmath.loggamma(5.5),
    "digamma(0.3)": mpmath.digamma(0.3),
    "erf(0.7)": mpmath.erf(0.7),
    "ndtr(1.2)": mpmath.ncdf(1.2),
    "ndtri(0.9)": mpmath.sqrt(2) * mpmath.erfinv(0.8),
    "chdtr(3, 2.5)": mpmath.gammainc(1.5, 0, 1.25, regularized=True),
    "pdtr(3.7, 2)": sum(mpmath.exp(-2) * mpmath.mpf(2) ** k / mpmath.factorial(k) for k in range(4)),
    "incbet(2, 3, 0.4)": mpmath.betainc(2, 3, 0, 0.4, regularized=True),
    "igamc(2, 3)": mpmath.gammainc(2, 3, regularized=True),
    "igami(2, 0.3)": mpmath.findroot(lambda x: mpmath.gammainc(2, x, regularized=True) - 0.3, 2.4),
    "ellpk(0.3)": mpmath.ellipk(0.7),
    "ellpe(0.3)": mpmath.ellipe(0.7),
    "ellik(0.5, 0.4)": mpmath.ellipf(0.5, 0.4),
    "jv(1.5, 2)": mpmath.besselj(1.5, 2),
    "yn(2, 3)": mpmath.bessely(2, 3),
    "iv(0.5, 2)": mpmath.besseli(0.5, 2),
    "expn(2, 0.5)": mpmath.expint(2, 0.5),
    "zeta(3, 2)": mpmath.zeta(3, 2),
    "hyp2f1(1, 2, 3, 0.5)": mpmath.hyp2f1(1, 2, 3, 0.5),
    "hyperg(1, 2, 0.5)": mpmath.hyp1f1(1, 2, 0.5),
    "fac(6)": mpmath.mpf(720),
    "lmvgam(3, 2)": mpmath.log(mpmath.sqrt(mpmath.pi) * mpmath.gamma(3) * mpmath.gamma(2.5)),
    "acosh(2)": mpmath.acosh(2),
    "pow(2, 0.5)": mpmath.sqrt(2),
    "stdtri(4, 0.9)": mpmath.mpf("1.5332062740589438"),  # from tables of Student's distribution
}


@pytest.mark.parametrize("call", sorted(VALUES))
def test_values(call):
    name, _, arguments = call.partition("(")
    found = evaluate(name, [float(x) for x in arguments[:-1].split(",")])
    assert found == pytest.approx(float(VALUES[call]), rel=1e-13)


def test_every_name_can_be_called():
    for name in NAMES:
        with pytest.raises(ArgumentError, match="numbers or tensors"):
            evaluate(name, [])


def test_numbers_tensors_and_results():
    assert lua("""
        local x = torch.Tensor {{1, 2}, {3, 4}}
        local made = cephes.gamma(x)
        assert(torch.type(made) == 'torch.DoubleTensor' and made:size(2) == 2 and made[2][2] == 6 and x[2][2] == 4)
        local r = torch.FloatTensor()
        assert(cephes.igam(r, 2, x) == r and torch.type(r) == 'torch.FloatTensor' and r:size(1) == 2)
        assert(cephes.igam(torch.Tensor {1, 2}, torch.Tensor {3, 4})[2] == cephes.igam(2, 4))
        local si, ci = cephes.sici(2)
        assert(cephes.ffi.lgam(3) == math.log(2) and cephes.isinf(cephes.inf) == 1 and cephes.nan ~= cephes.nan)
        torch.setdefaulttensortype('torch.FloatTensor')
        assert(torch.type(cephes.erf(x)) == 'torch.FloatTensor')
        return si + ci
    """) == pytest.approx(sum(scipy.special.sici(2)))
    with pytest.raises(LuaError, match=r"cephes\.erf: expected"):
        lua("cephes.erf('a')")
    with pytest.raises(LuaError, match="different numbers of elements"):
        lua("cephes.igam(torch.Tensor(2), torch.Tensor(3))")
