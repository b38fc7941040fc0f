"""The facts of tensor methods, which follow from the register, compared with what calls do."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

import pytest

import torch7py.ops.all  # noqa: F401  (registers the operations)
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops.facts import MethodFacts, facts_of_method
from torch7py.ops.registry import operations

# Methods that no program calls, or for which no arguments fit that are made by their kinds alone.
LEFT_OUT = set(
    "baddbmm cbitand cbitor cbitxor conv2 conv3 xcorr2 xcorr3 multinomialAliasSetup_ multinomialAlias_".split()
)
NAMES = [
    name
    for name in operations
    if "." not in name and name not in LEFT_OUT and facts_of_method(name) is not None
]
RECEIVERS = (
    "torch.randn(3,4):mul(5)",
    "torch.randn(3,3)",
    "torch.randn(4)",
    "torch.rand(3,4)",
    "torch.randn(2,3,4)",
    "torch.ByteTensor(3,4):fill(3)",
    "torch.LongTensor(3,4):fill(5)",
)
VALUES = {
    "T": ["M", "V", "S", "N", "P", "Q"],
    "F": ["M", "V", "S"],
    "like": ["M"],
    "any": ["M", "V"],
    "Long": ["I", "IM"],
    "Byte": ["B"],
    "real": ["2"],
    "number": ["0.5", "2"],
    "int": ["2", "1"],
    "index": ["1"],
    "sizes": ["2, 2", "12", "1, 3, 4", "2, 3, 4", "2, 1"],
    "bool": ["true"],
    "string": ["'torch.FloatTensor'", "'V'"],
    "storage": ["torch.DoubleStorage(12)"],
    "list": ["{M}"],
    "object": ["nil"],
}
PRELUDE = """
M, V, S, P = torch.randn(3,4), torch.randn(4), torch.randn(3,3), torch.randn(2,4,3)
N, Q, I, IM = torch.randn(3), torch.randn(2,3,4), torch.LongTensor{1,2}, torch.LongTensor(3,4):fill(1)
B = torch.ByteTensor(3,4):fill(1)
operands = {}
for _, operand in ipairs{M, V, S, P, N, Q, I, IM, B} do operands[operand] = true end
function called(f)
   local before, memory = x:clone(), torch.pointer(x:storage())
   r = {pcall(f)}
   if not r[1] then return false end
   changed = not (x:isSameSizeAs(before) and x:type() == before:type() and torch.pointer(x:storage()) == memory
                  and (x:nElement() == 0 or torch.all(torch.eq(x, before))))
   local v = r[2]
   if rawequal(v, x) then gives = 'receiver'
   elseif #r > 2 then gives = 'several'
   elseif not torch.isTensor(v) then gives = 'value'
   elseif operands[v] then gives = 'operand'
   elseif v:storage() and torch.pointer(v:storage()) == memory then gives = 'view'
   else gives = 'fresh' end
   return true
end
"""
MOST = 2  # calls of a case


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, set[tuple[str, bool, bool]]]]:
    """By method: what calls gave, whether their tensor changed, and whether there was an operand besides it."""
    runtime = Runtime(seed=1)
    runtime.execute(PRELUDE)
    found: dict[str, set[tuple[str, bool, bool]]] = defaultdict(set)
    for name in NAMES:
        for case, more in itertools.product(operations[name].cases, (False, True)):
            parameters = [p for p in case.parameters if p.kind != "generator"]
            choices = [VALUES[p.kind] for p in (parameters if more else parameters[1:])]
            count = 0
            for arguments in itertools.islice(itertools.product(RECEIVERS, *choices), 900):
                receiver, *given = arguments
                call = f"function() return x:{name}({', '.join(given)}) end"
                if runtime.execute(f"x = {receiver} return called({call})"):
                    found[name].add((runtime.globals["gives"], runtime.globals["changed"], more))
                    count += 1
                    if count == MOST:
                        break
    yield found
    runtime.close()


def test_methods_are_called(seen: dict[str, set[tuple[str, bool, bool]]]) -> None:
    assert set(NAMES) == set(seen)


def test_facts_say_what_methods_do(seen: dict[str, set[tuple[str, bool, bool]]]) -> None:
    wrong = {}
    for name, calls in seen.items():
        facts = facts_of_method(name)
        assert facts is not None
        if any(not fits(facts, *call) for call in calls) or facts.writes != writing(calls):
            wrong[name] = facts, calls
    assert not wrong


def fits(facts: MethodFacts, gives: str, changed: bool, more: bool) -> bool:
    """Whether a call does what the facts say; ``more``: an operand is given, of which the tensor may be the result."""
    if more and facts.writes == "as result":
        return True
    if gives == "value" and "several" in facts.gives:  # of which the others are nil
        return True
    return gives in facts.gives and (not changed or facts.writes == "always")


def writing(calls: set[tuple[str, bool, bool]]) -> str:
    alone = [changed for _, changed, more in calls if not more]
    if any(alone) or not alone:
        return "always"
    return "as result" if any(changed for _, changed, _ in calls) else "never"


def test_random_methods_and_elementwise_ones() -> None:
    facts = {name: facts_of_method(name) for name in NAMES}
    random = {name for name, found in facts.items() if found is not None and found.draws}
    assert random >= {"bernoulli", "uniform", "normal", "random", "geometric", "exponential", "multinomial"}
    assert not random & {"add", "fill", "sum", "narrow"}
    elementwise = {name for name, found in facts.items() if found is not None and found.elementwise}
    assert elementwise >= {"abs", "exp", "neg", "sqrt", "sigmoid"}
    assert not elementwise & {"add", "cumsum", "sum", "t"}
