"""A schedule as people paste it: the code that makes one, parsed as literals and never run.

Names that are assigned before, and arithmetic on numbers, have values. Whatever else there is has none, and is an error
only where a schedule needs it.
"""

from __future__ import annotations

import ast
import difflib
import math
import operator
import re
import textwrap
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.calls import Call
from samestep.experiment.schedules.dialects import FUNCTIONS, lightning
from samestep.experiment.schedules.native import from_call
from samestep.experiment.schedules.signatures import (
    OPTIMIZERS,
    SIGNATURES,
    TORCH,
    UNREADABLE,
    bound,
    defaults,
)

_BEGINS = re.compile(r"\s*(?:>>> ?)?(?:#|(?:import|from|def)\s|[A-Za-z_][\w.]*\s*(?:\(|=[^=]))")

TAKES = SIGNATURES | {name: dialect.functions[name] for name, dialect in FUNCTIONS.items()}
"""What each class and function that makes a schedule takes."""

OF_AN_OPTIMIZER = {name for name in TAKES if "optimizer" in defaults(name, TAKES)}
"""Those that are given an optimizer, whose rate is theirs."""

RATES = ("lr", "learning_rate", "base_lr")
"""Names that hold the rate of an optimizer that is not there itself."""


def is_code(text: str) -> bool:
    """Whether a text looks like code that makes something.

    >>> is_code("StepLR(optimizer, 30)"), is_code("constant:initial=0.1")
    (True, False)
    """
    return bool(_BEGINS.match(text))


def read_code(text: str, stepping: Stepping = "step", clock: Clock | None = None) -> tuple[Schedule, tuple[str, ...]]:
    """Read the schedule that code makes.

    Args:
        text: Code of Keras or PyTorch: a call, perhaps with its imports, assignments and the optimizer.
        stepping: How often the schedule is asked or the scheduler stepped. Per ``epoch`` it counts in epochs.
        clock: For a scheduler that counts single calls and is stepped per epoch.

    Returns:
        The schedule, and what was assumed.

    Raises:
        ValueError: There is no schedule in it, or several, or one that the vocabulary can't say; the message is one
            line.

    Example:
        >>> schedule, assumed = read_code("ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)")
        >>> str(schedule.every), schedule.factor, assumed
        ('25 steps', 0.95, ())
    """
    prompts = re.sub(r"(?m)^\s*(>>>|\.\.\.) ?", "", text) if text.lstrip().startswith(">>>") else text
    try:
        with warnings.catch_warnings(action="ignore"):  # of the pasted code
            tree = ast.parse(textwrap.dedent(prompts).strip())
        reader = _Reader()
        for statement in tree.body:
            reader.statement(statement)
        call = reader.result()
        for config in reader.configs:
            lightning.check_stepping(config, stepping)
        schedule = from_call(call, stepping, clock)
    except SyntaxError as error:
        place = f", in line {error.lineno}" if error.lineno else ""
        raise ValueError(f"not Python: {error.msg[:60]}{place}. {_EXAMPLE}") from None
    except (RecursionError, MemoryError):
        raise ValueError("nested too deeply. Write it flatter.") from None
    return schedule, tuple(_assumed(call, stepping, bool(reader.configs)))


_EXAMPLE = "Write code like ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95)."


def _assumed(call: Call, stepping: Stepping, is_said: bool) -> list[str]:
    """What the code does not say. is_said : whether it says how often its scheduler is stepped."""
    said = [call.note] if call.note else []
    if call.name in OF_AN_OPTIMIZER and stepping == "step" and not is_said:
        said.append(
            f"{call.name} counts calls of scheduler.step(): one after each update. If the loop calls it after each "
            "epoch, give --stepping epoch."
        )
    return said


@dataclass(frozen=True)
class _Unknown:
    """What has no value here."""

    code: str


@dataclass(frozen=True)
class _Optimizer:
    """An optimizer of PyTorch, by its rate."""

    code: str
    lr: Any


@dataclass
class _Reader:
    """Follows statements, and keeps the schedules that they make.

    Attributes:
        values: What names hold, dotted ones as well.
        modules: What imported names stand for.
        made: Schedules that are not part of another.
        unknown: Calls of what is not known here.
        configs: Lightning's dictionaries of schedulers.
    """

    values: dict[str, Any] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    made: list[Call] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    configs: list[dict[Any, Any]] = field(default_factory=list)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Import(names=names):
                self.modules |= {each.asname: each.name for each in names if each.asname}
            case ast.ImportFrom(module=module, names=names):
                self.modules |= {each.asname or each.name: f"{module}.{each.name}" for each in names}
            case ast.Assign(targets=targets, value=value):
                held = self.value(value)
                for target in targets:
                    self.assign(target, held)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, self.value(value))
            case ast.Expr(value=value) | ast.Return(value=ast.expr() as value):
                self.value(value)
            case ast.FunctionDef(name="configure_optimizers", body=body):
                for each in body:
                    self.statement(each)
                self.configs = self.configs or [{}]  # a scheduler without a dictionary
            case _:
                first = ast.unparse(node).partition("\n")[0][:60]
                raise ValueError(
                    f"line {node.lineno}, {first!r}, does not make a schedule. Give only the lines that do."
                )

    def assign(self, target: ast.expr, held: Any) -> None:
        if not isinstance(target, ast.Tuple | ast.List):
            self.values[ast.unparse(target)] = held
            return
        each_has_one = isinstance(held, list) and len(held) == len(target.elts)
        for index, each in enumerate(target.elts):
            self.assign(each, held[index] if each_has_one else _Unknown(ast.unparse(each)))

    def value(self, node: ast.expr) -> Any:
        """What an expression is: a number, text, a list, a dictionary, a Call, an optimizer; else _Unknown."""
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node.value
            case ast.Name() | ast.Attribute():
                name = ast.unparse(node)
                if isinstance(node, ast.Attribute):
                    self.value(node.value)
                return self.values.get(name, _CONSTANTS.get(name, _Unknown(name)))
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return [self.value(each) for each in parts]
            case ast.Dict(keys=keys, values=values) if len(plain := _plain_keys(keys)) == len(keys):
                return self.dictionary(dict(zip(plain, map(self.value, values), strict=True)))
            case ast.UnaryOp() | ast.BinOp():
                numbers = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
                return _worked_out(node, _OPERATORS.get(type(node.op)), *map(self.value, numbers))
            case ast.Call():
                return self.call(node)
        for each in ast.iter_child_nodes(node):  # a dictionary may hold a scheduler
            if isinstance(each, ast.expr) and not isinstance(node, ast.Lambda):
                self.value(each)
        return _Unknown(ast.unparse(node))

    def dictionary(self, held: dict[Any, Any]) -> dict[Any, Any]:
        """A dictionary as it is; Lightning's are kept."""
        if config := lightning.config_in(held, Call):
            self.configs.append(config)
        return held

    def call(self, node: ast.Call) -> Any:
        name = self.named(node.func)
        if not isinstance(node.func, ast.Name):
            self.value(node.func)  # a schedule may be asked at once
        given = [self.value(each) for each in node.args]
        named = {each.arg: self.value(each.value) for each in node.keywords if each.arg}
        if name in TAKES:
            return self.known(node, name, given, named)
        if name in UNREADABLE:
            raise ValueError(UNREADABLE[name].format(name))
        if name == "dict" and not given and len(named) == len(node.keywords):
            return named
        if name in _FUNCTIONS:
            return _worked_out(node, _FUNCTIONS[name], *given)
        return self.other(node, name, given, named)

    def known(self, node: ast.Call, name: str, given: list[Any], named: dict[str, Any]) -> Call:
        """A call that makes a schedule."""
        if len(named) < len(node.keywords) or any(isinstance(each, ast.Starred) for each in node.args):
            raise ValueError(f"{name}: its arguments are in a variable. Write each of them.")
        arguments = bound(name, given, named, TAKES)
        if name in FUNCTIONS:
            self.literals(name, arguments, but="optimizer")
            name, arguments = FUNCTIONS[name].called(name, arguments)
        return self.schedule(name, arguments)

    def other(self, node: ast.Call, name: str, given: list[Any], named: dict[str, Any]) -> Any:
        """A call that is not known: perhaps an optimizer, by its rate."""
        self.unknown.append(name)
        code = ast.unparse(node)
        groups = [each for each in ast.walk(node) if isinstance(each, ast.Dict)]
        if any(isinstance(key, ast.Constant) and key.value == "lr" for each in groups for key in each.keys):
            return _Optimizer(code, _Unknown("another for each parameter group"))
        if "lr" in named:
            return _Optimizer(code, named["lr"])
        if name.rpartition(".")[2] in OPTIMIZERS:
            return _Optimizer(code, given[1] if len(given) > 1 else _Unknown("PyTorch's default"))
        return _Unknown(code)

    def named(self, function: ast.expr) -> str:
        """The name of what is called: the class alone where it may be of Keras or PyTorch."""
        first, dot, rest = ast.unparse(function).partition(".")
        held = self.values.get(first)
        meant = self.modules.get(first) or (held.code if isinstance(held, _Unknown) else first)
        name = f"{meant}{dot}{rest}"
        module, _, last = name.rpartition(".")
        framework = "PyTorch" if last in TORCH else FUNCTIONS[last].name if last in FUNCTIONS else "Keras"
        root = module.partition(".")[0]
        of_another = meant != first or any(root in roots for roots in _ROOTS.values())
        if last in TAKES and of_another and root not in _ROOTS[framework]:
            raise ValueError(f"{name[:80]} is not {framework}'s {last}. Write the schedule that it gives.")
        if last in _OF_SEVERAL and not module:
            raise ValueError(f"{last} may be {_OF_SEVERAL[last]}. Write it with its module.")
        return last if last in TAKES or last in UNREADABLE else name

    def schedule(self, name: str, arguments: Mapping[str, Any]) -> Call:
        """A schedule, in place of those that are part of it."""
        optimizer = arguments.get("optimizer")
        used = {key: each for key, each in arguments.items() if key not in ("optimizer", "name")}
        for part in self.literals(name, used):
            self.made = [one for one in self.made if one is not part]
        base, note = self.base(optimizer) if name in OF_AN_OPTIMIZER else (None, None)
        call = Call(name, used, base_lr=base, note=note)
        self.made.append(call)
        return call

    def literals(self, name: str, arguments: Mapping[str, Any], but: str = "") -> list[Any]:
        """The values of a call's arguments, and those within them. Raises ValueError where one has no value.

        but : the argument that need not have one.
        """
        found = []
        for key, each in arguments.items():
            for part in _flat(each) if key != but else []:
                if isinstance(part, _Unknown | _Optimizer):
                    raise ValueError(
                        f"{name}: {key} is {part.code[:60]!r}, which has no value here. Write its value, or assign it "
                        "before."
                    )
                found.append(part)
        return found

    def base(self, optimizer: Any) -> tuple[float | None, str | None]:
        """The rate of an optimizer, and what was assumed of it."""
        if isinstance(optimizer, _Optimizer):
            lr, code = optimizer.lr, optimizer.code[:60]
            if isinstance(lr, bool) or not isinstance(lr, int | float):
                said = lr.code if isinstance(lr, _Unknown) else repr(lr)
                raise ValueError(f"the rate of {code!r} is {said[:60]}. Write one number, like lr=0.1.")
            return float(lr), None
        for name in RATES:
            held = self.values.get(name)
            if isinstance(held, int | float) and not isinstance(held, bool):
                return float(held), f"The optimizer's rate was taken to be {name} = {held!r}."
        return None, None

    def result(self) -> Call:
        """The one schedule that is made. Raises ValueError where there is none, or several."""
        if len(self.made) == 1:
            return self.made[0]
        if self.made:
            names = ", ".join(each.name for each in self.made)
            raise ValueError(f"{len(self.made)} schedules ({names[:80]}). Give the code of one.")
        for name in self.unknown:
            if close := difflib.get_close_matches(name.rpartition(".")[2], TAKES, n=1):
                raise ValueError(f"{name[:60]!r} is not a schedule. Did you mean {close[0]}?")
        said = f"{self.unknown[0][:60]!r} is not a schedule" if self.unknown else "no schedule"
        raise ValueError(f"{said} of Keras or PyTorch. Write one of {', '.join(TAKES)}.")


_ROOTS = {
    "Keras": ("keras", "tensorflow", "tf", "tf_keras"),
    "PyTorch": ("torch",),
    "transformers": ("transformers",),
    "optax": ("optax",),
}
"""Packages that a framework's schedules may be imported from."""

_OF_SEVERAL = {"exponential_decay": "optax's or TensorFlow 1's"}
"""Functions whose name alone does not say whose they are."""

_CONSTANTS = {"math.pi": math.pi, "math.e": math.e}


def _plain_keys(keys: list[ast.expr | None]) -> list[str | int | float]:
    """The keys of a dictionary that are text or numbers."""
    found = [key.value for key in keys if isinstance(key, ast.Constant)]
    return [each for each in found if isinstance(each, str | int | float) and not isinstance(each, bool)]


def _flat(value: Any) -> list[Any]:
    """A value, or all within a list or a dictionary."""
    within = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else None
    return [value] if within is None else [part for each in within for part in _flat(each)]


def _power(base: float, exponent: float) -> float:
    """Without the digits of a large whole number."""
    power = float(base) ** float(exponent)
    return int(power) if isinstance(base, int) and isinstance(exponent, int) and power % 1 == 0 else power


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "float": float,
    "round": round,
    "max": max,
    "min": min,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.sqrt": math.sqrt,
}


def _worked_out(node: ast.expr, work: Callable[..., Any] | None, *numbers: Any) -> Any:
    """The result of arithmetic on numbers; _Unknown where one is none."""
    code = ast.unparse(node)
    if work is None or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
        return _Unknown(code)
    try:
        found = work(*numbers)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise ValueError(f"{code[:60]!r} has no value ({error.args[-1]}). Write a number.") from None
    return found if isinstance(found, int | float) else _Unknown(code)
