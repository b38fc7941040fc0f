"""The facts of the register, measured on a use of every class, and on some more that show what only arguments bring."""

from __future__ import annotations

import inspect
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from tests.every_class import Use, criterion_uses, identify, layer_uses, new_runtime, registry
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.nn.facts import Facts, Parameter, facts_of_class, parsed, stated
from torch7py.nn.object import TorchObject
from torch7py.nn.trace import leaves_of

pytestmark = pytest.mark.one_lua  # they are facts of classes in Python

SEEDS = range(1, 5)
TIMES = 40
MORE = [
    Use("nn.LSTM", "nn.LSTM(4,5,9999,false,0.5)", "R(3,4)"),
    Use("nn.FastLSTM", "nn.FastLSTM(4,5,9999,nil,nil,nil,0.5)", "R(3,4)"),
    Use("nn.GRU", "nn.GRU(4,5,9999,0.5)", "R(3,4)"),
    Use("nn.Reshape", "nn.Reshape(12,false)", "R(3,4)"),
    Use("nn.WhiteNoise", "nn.WhiteNoise(0,0.5)", "R(3,4)"),
    Use(
        "nn.NCEModule",
        "(function() local m = nn.NCEModule(4,10,3,torch.ones(10)) m.normalized = true return m end)()",
        "{R(2,4),torch.LongTensor{3,7}}",
    ),
    Use("nn.Bilinear", "nn.Bilinear(3,4,2)", "{R(2,3),R(2,4)}"),
    *(
        Use(f"cudnn.{name}", f"cudnn.{name}(3,4,2,false,0.5):cuda()", "R(5,2,3):cuda()")
        for name in "RNN RNNReLU RNNTanh LSTM GRU BLSTM BGRU".split()
    ),
]
# Parameters whose layers have no use that is one call with numbers.
NOT_CALLED_PLAINLY = set(
    "FacebookSpatialBatchNormalization FacebookBatchNormalization NCEModule SoftMaxTree".split()
)
# Whose forward changes its weights.
WRITES_WEIGHTS = {"nn.SpatialBinaryConvolution"}
# Whose gradient is one of a reward.
WITH_REWARD = {
    f"nn.{name}"
    for name in "Reinforce ReinforceNormal ReinforceBernoulli ReinforceCategorical ReinforceGamma".split()
}
# Whose child is another layer's, which it asks.
REFERRING = {"nn.SpatialMaxUnpooling", "nn.VolumetricMaxUnpooling"}
# Whose arguments decide how many dimensions an output has, though all uses keep them.
BY_ARGUMENTS = {"Constant", "ModelParallel"}


@dataclass
class Measured:
    """What a use has shown. ``classes`` are those of the module and of all in it."""

    use: Use
    cls: type
    classes: set[type]
    children: int
    parts_parameters: int
    input: Any
    output: Any
    draws: bool
    differs: bool
    begins_training: bool
    keeps: bool
    remembers: bool
    shares_memory: bool
    reads_output: bool
    over_batch: bool | None
    parameters: dict[str, torch.Tensor]

    @property
    def facts(self) -> Facts:
        return facts_of_class(self.cls)

    def inside(self, fact: Callable[[Facts], Any]) -> bool:
        return any(fact(facts_of_class(cls)) for cls in self.classes)


def copied(value: Any) -> Any:
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value.clone() if isinstance(value, torch.Tensor) else value


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) or isinstance(b, list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, torch.Tensor):
        return a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num())
    return bool(a == b)


def kind(value: Any) -> str:
    return "tensor" if isinstance(value, torch.Tensor) else "table" if isinstance(value, list) else "number"


def memory(value: Any) -> set[int]:
    """Where the tensors in a value lie."""
    leaves = leaves_of(value) if isinstance(value, (list, torch.Tensor)) else ()
    return {leaf.untyped_storage().data_ptr() for leaf in leaves if leaf.numel()}


SPOIL = """
local kept = x:clone()
o:copy(torch.range(1, o:nElement()):mul(0.01):add(0.37):viewAs(o):typeAs(o))
x:copy(kept)  -- whose memory it may be
return m:updateGradInput(x, g)
"""


def reads_output(runtime: Runtime, use: Use) -> bool:
    """Whether the gradient is another one where the output has other numbers by then."""
    gradients = []
    for ending in ("return m:updateGradInput(x, g)", SPOIL):
        made = use.make(runtime)
        runtime.globals["x"] = use.input(runtime)
        runtime.execute("m:training() torch.manualSeed(3) o = m:forward(x)")
        input, output = runtime.globals["x"], made.get_field("output")
        if (
            not (isinstance(input, torch.Tensor) and isinstance(output, torch.Tensor))
            or use.name in WITH_REWARD
        ):
            return False
        runtime.execute("o = m.output g = gradient(o)")
        gradients.append(copied(runtime.execute(ending)))
    return gradients[0] is not None and not same(*gradients)


def is_batch(value: Any) -> bool:
    return (
        isinstance(value, torch.Tensor) and value.is_floating_point() and value.dim() > 1 and len(value) > 1
    )


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    registry()
    found = new_runtime()
    yield found
    found.close()


@pytest.fixture(scope="module")
def measured(runtime: Runtime) -> list[Measured]:
    """Two uses of each class, and those that show more."""
    seen: Counter[str] = Counter()
    chosen = []
    for use in layer_uses():
        seen[use.name] += 1
        if seen[use.name] <= 2:
            chosen.append(use)
    return [measure(runtime, use) for use in [*chosen, *MORE]]


def measure(runtime: Runtime, use: Use) -> Measured:
    """Run a module anew, with the same numbers, in each mode and after calls."""
    drawing: list[bool] = []  # whether a forward drew numbers, the program's or PyTorch's own

    def generators() -> list[torch.Tensor]:
        return [runtime.execute("return torch.getRNGState()").clone(), torch.get_rng_state()]

    def forward(seed: int = 1, before: str = "", x: Any = None) -> Any:
        runtime.globals["x"] = use.input(runtime) if x is None else x
        runtime.execute(f"torch.manualSeed({seed})")
        torch.manual_seed(seed)
        first = generators()
        output = copied(runtime.execute(f"{before} return m:forward(x)"))
        drawing.append(not same(first, generators()))
        return output

    made = use.make(runtime)
    begins_training = made.get_field("train") is True
    output = forward(before="m:training()")
    input = copied(runtime.globals["x"])
    in_place = getattr(made, "inplace", False) or "true" in use.expr
    shares_memory = not in_place and bool(
        memory(runtime.globals["x"]) & memory(runtime.execute("return m.output"))
    )
    unrepeatable = not same(output, forward())
    draws = drawing[0]
    differs = keeps = False
    for seed in SEEDS if draws or unrepeatable else SEEDS[:1]:
        use.make(runtime)
        evaluated = forward(seed, "m:evaluate()")
        keeps |= not same(evaluated, forward(seed))
        trained = forward(seed, "m:training() if m.forget then m:forget() end")
        draws |= drawing[-1]
        differs |= not same(trained, evaluated)
    if unrepeatable and not keeps and use.name not in WRITES_WEIGHTS:
        draws = True  # from a generator of its own
    use.make(runtime)
    remembers = False
    if facts_of_class(type(made)).keeps == "remembered":
        first = forward(before="m:remember('both')")
        remembers = not same(first, forward())
    over_batch = None
    if is_batch(input) and is_batch(output) and len(input) == len(output):
        use.make(runtime)
        first = forward()
        use.make(runtime)
        other = use.input(runtime)
        other[1:] += 1
        over_batch = not same(first[0], forward(x=other)[0])
    classes = {
        type(module) for module in made.modules() if module in (made,) or hasattr(module, "torch7_name")
    }
    parameters = {name: p.data.clone() for name, p in made._parameters.items() if p is not None}
    return Measured(
        use,
        type(made),
        classes,
        len([child for child in made.children() if hasattr(child, "torch7_name")]),
        len(made.torch7_parameters()[0] if made.torch7_parameters() else []) - len(parameters),
        input,
        output,
        draws,
        differs,
        begins_training,
        keeps,
        remembers,
        shares_memory,
        reads_output(runtime, use),
        over_batch,
        parameters,
    )


def test_every_class_has_every_fact() -> None:
    for cls in registry().values():
        assert isinstance(facts_of_class(cls), Facts)
        parsed(facts_of_class(cls).parameters)


def test_no_class_repeats_what_it_derives() -> None:
    for cls in registry().values():
        inherited = facts_of_class(cls.__mro__[1]) if issubclass(cls.__mro__[1], TorchObject) else None
        for name, value in vars(cls).get("stated_facts", {}).items():
            assert inherited is None or getattr(inherited, name) != value, (cls, name)


def test_facts_have_names_and_words_that_exist() -> None:
    with pytest.raises(ValueError, match="no facts of layers: drawing"):
        stated({"drawing": True})
    with pytest.raises(ValueError, match="takes='tensors' is none of any"):
        stated({"takes": "tensors"})
    for text in ("weight", "weight:2~cauchy(1)", "weight:2~normal(1,2)", "weight:2~constant()"):
        with pytest.raises(ValueError, match=r"describes no parameter|is no distribution"):
            parsed(text)
    assert parsed("a:1~uniform(1/n)") == (Parameter("a", 1, "uniform", ("-(1/n)", "1/n")),)


def none_of(measured: list[Measured], wrong: Callable[[Measured], Any]) -> None:
    """No use shows what contradicts the facts."""
    assert not [identify(each.use)[:150] for each in measured if wrong(each)]


def assert_shown(
    measured: list[Measured], shown: Callable[[Measured], bool], fact: Callable[[Facts], bool]
) -> None:
    """What a use shows is a fact of a class in it; a fact of a class is shown by one of its uses."""
    none_of(measured, lambda each: shown(each) and not each.inside(fact))
    showing = {each.cls for each in measured if shown(each)}
    assert {each.cls for each in measured if fact(each.facts)} <= showing


def test_who_draws_random_numbers(measured: list[Measured]) -> None:
    assert_shown(measured, lambda each: each.draws, lambda facts: facts.draws)


def test_who_differs_in_training(measured: list[Measured]) -> None:
    assert_shown(measured, lambda each: each.differs, lambda facts: facts.differs_in_training)


def test_who_is_in_training_from_the_beginning(measured: list[Measured]) -> None:
    none_of(measured, lambda each: each.begins_training != each.facts.begins_training)


def test_who_keeps_a_state(measured: list[Measured]) -> None:
    assert_shown(measured, lambda each: each.keeps, lambda facts: facts.keeps == "always")
    stating = {each.use.name for each in measured if each.facts.keeps == "remembered"}
    assert {each.use.name for each in measured if each.remembers} == stating


def test_whose_examples_depend_on_each_other(measured: list[Measured]) -> None:
    def wrong(each: Measured) -> bool:
        batch = (
            isinstance(each.input, torch.Tensor) and each.input.dim() == len(each.facts.example.split()) + 1
        )
        if each.over_batch is None or not batch or each.facts.example == "any":
            return False
        return each.over_batch != each.facts.over_batch and not each.facts.draws

    none_of(measured, wrong)


def test_what_is_taken_and_given(measured: list[Measured]) -> None:
    tables = {"steps": "table", "sequence": "tensor"}
    anything = ("any", "parts", "nothing")

    def wrong(each: Measured) -> bool:
        takes, gives = each.facts.takes, each.facts.gives
        if takes not in anything and kind(each.input) != tables.get(takes, takes):
            return True
        gives = kind(each.input) if gives == "same" else tables.get(gives, gives)
        return gives not in anything and kind(each.output) != gives

    none_of(measured, wrong)


def test_who_keeps_the_number_of_dimensions(measured: list[Measured]) -> None:
    keeping: dict[type, list[bool]] = defaultdict(list)
    for each in measured:
        if isinstance(each.input, torch.Tensor) and isinstance(each.output, torch.Tensor):
            keeping[each.cls].append(each.input.dim() == each.output.dim())
    assert not [cls for cls, kept in keeping.items() if facts_of_class(cls).keeps_rank and not all(kept)]
    tensors = {cls for cls in keeping if facts_of_class(cls).gives == facts_of_class(cls).takes == "tensor"}
    kept = {cls.__name__ for cls in tensors if all(keeping[cls]) and not facts_of_class(cls).keeps_rank}
    assert kept == BY_ARGUMENTS


def test_whose_output_lies_in_the_memory_of_the_input(measured: list[Measured]) -> None:
    assert_shown(measured, lambda each: each.shares_memory, lambda facts: facts.shares_memory)


def test_whose_gradient_is_computed_with_the_output(measured: list[Measured]) -> None:
    assert_shown(measured, lambda each: each.reads_output, lambda facts: facts.gradient_reads_output)


def test_modules_inside(measured: list[Measured]) -> None:
    def wrong(each: Measured) -> bool:
        if each.facts.parts in ("built", "fixed"):
            return (each.parts_parameters > 0) != (each.facts.parts == "built")
        if each.facts.parts == "none":
            return each.children > 0 and each.use.name not in REFERRING
        return not each.children

    none_of(measured, wrong)


def test_parameters_have_names_and_ranks(measured: list[Measured]) -> None:
    def wrong(each: Measured) -> bool:
        known = {parameter.name: parameter.rank for parameter in parsed(each.facts.parameters)}
        return any(known.get(name, -1) not in (None, value.dim()) for name, value in each.parameters.items())

    none_of(measured, wrong)
    seen: dict[type, set[str]] = defaultdict(set)
    for each in measured:
        seen[each.cls] |= set(each.parameters)
    stating = {cls: {parameter.name for parameter in parsed(facts_of_class(cls).parameters)} for cls in seen}
    assert seen == stating


PLAIN_CALL = re.compile(r"\w+\.\w+\(([\w.,\s]*)\)(:cuda\(\))?")


def test_new_parameters_are_distributed_as_stated(measured: list[Measured], runtime: Runtime) -> None:
    checked, wrong = set(), []
    for each in measured:
        call = PLAIN_CALL.fullmatch(each.use.expr)
        laws = [p for p in parsed(each.facts.parameters) if p.law != "computed" and p.name in each.parameters]
        if call is None or not laws:
            continue
        drawn: dict[str, list[torch.Tensor]] = defaultdict(list)
        for _ in range(TIMES):
            new = runtime.execute(f"return {each.use.expr}")
            for law in laws:
                drawn[law.name].append(getattr(new, law.name).data.double().flatten())
        texts = dict(zip(arguments(each.cls), call[1].split(","), strict=False))
        given = {name: float(text) for name, text in texts.items() if re.fullmatch(r"\s*[\d.]+", text)}
        for law in laws:
            names = set(re.findall(r"[a-zA-Z]\w+", " ".join(law.arguments))) - {"sqrt", "elements"}
            values = given | {name: new.get_field(name) for name in names - given.keys()}
            values["elements"] = each.parameters[law.name].numel()
            numbers = [float(eval(text, {"sqrt": math.sqrt}, values)) for text in law.arguments]
            if not is_distributed(torch.cat(drawn[law.name]), law.law, numbers):
                wrong.append((each.use.expr, law))
            checked.add((each.cls, law.name))
    assert not wrong
    stating = {
        (each.cls, p.name) for each in measured for p in parsed(each.facts.parameters) if p.law != "computed"
    }
    assert {cls.__name__ for cls, _ in stating - checked} == NOT_CALLED_PLAINLY


def is_distributed(values: torch.Tensor, law: str, numbers: list[float]) -> bool:
    if law == "constant":
        return bool(values.eq(numbers[0]).all())
    low, high = numbers if law == "uniform" else (-numbers[0], numbers[0])
    width = high - low
    spread = width / math.sqrt(12) if law == "uniform" else width / 2
    error = 5 * spread / math.sqrt(len(values))
    alike = abs(values.mean() - (low + high) / 2) < error and abs(values.std() - spread) < error
    if law == "normal":
        return bool(alike and values.abs().max() > 1.8 * spread)
    near = 0.3 * width
    return bool(alike and low <= values.min() < low + near and high - near < values.max() <= high)


def test_whole_numbers_are_items_of_an_argument(measured: list[Measured]) -> None:
    def wrong(each: Measured) -> bool:
        if not each.facts.items:
            return False
        (numbers,) = leaves_of(each.input)
        return each.facts.items not in arguments(each.cls) or not numbers.eq(numbers.floor()).all()

    none_of(measured, wrong)


def test_axes_of_examples_are_arguments_or_letters(measured: list[Measured]) -> None:
    def wrong(each: Measured) -> bool:
        if each.facts.example == "any" or not isinstance(each.input, torch.Tensor):
            return False
        axes = each.facts.example.split()
        known = all(len(axis) == 1 or axis in arguments(each.cls) for axis in axes)
        return not known or each.input.dim() - len(axes) not in (0, 1, 2)

    none_of(measured, wrong)


def arguments(cls: type) -> list[str]:
    """The names of the arguments of a constructor and of those of its bases, which may call them otherwise."""
    found = [
        name
        for base in cls.__mro__[:-1]
        if "__init__" in vars(base)
        for name in inspect.signature(vars(base)["__init__"]).parameters
    ]
    return list(dict.fromkeys(found))[1:]


def test_what_criterions_take_and_give(runtime: Runtime) -> None:
    for use in criterion_uses():
        facts = facts_of_class(type(use.make(runtime)))
        runtime.globals["x"], runtime.globals["t"] = use.input(runtime), use.target(runtime)
        input, target = runtime.globals["x"], runtime.execute("return t")
        takes = {"steps": "table"}.get(facts.takes, facts.takes)
        assert kind(input) == takes or facts.takes == "parts", use
        loss = runtime.execute("return (m:forward(x, t))")
        assert kind(loss) == facts.gives, use
        gradient = runtime.execute("return m:backward(x, t)")
        assert kind(gradient) == kind(input), use
        numbers = [] if target is None else [torch.as_tensor(leaf).double() for leaf in leaves_of([target])]
        if facts.target == "none":
            runtime.execute("return m:forward(x)")
        elif facts.target == "class":
            assert all(part.eq(part.floor()).all() and part.min() >= 1 for part in numbers), use
        elif facts.target == "sign":
            assert all(part.abs().eq(1).all() for part in numbers), use
        elif facts.target == "truths":
            assert all(part.min() >= 0 and part.max() <= 1 for part in numbers), use
        elif facts.target == "values":
            assert isinstance(target, torch.Tensor), use
