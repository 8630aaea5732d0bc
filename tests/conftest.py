"""Runs that several tests look at: each is made once, by the real command with the real frameworks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers import Asker, Output, exponential, run_plan

from experiment.plan import FRAMEWORKS, SGD, Arm, Constant, Plan, question


@pytest.fixture(scope="session")
def small() -> Plan:
    """A plan that trains in a moment: 3 epochs of 4 steps, the last batch short."""
    return question().replace(
        name="small",
        data=question().data.model_copy(update={"samples": 28}),
        batch_size=8,
        epochs=3,
        arms=(
            Arm(name="constant", schedule=Constant(initial=1e-2), stepping="step"),
            Arm(name="stairs", schedule=exponential("2 steps", initial=1e-2, factor=0.5), stepping="step"),
        ),
    )


@pytest.fixture(scope="session")
def question_output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """The default plan."""
    return run_plan(question(), tmp_path_factory.mktemp("question"))


@pytest.fixture(scope="session")
def sgd_output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """The default plan with SGD."""
    return run_plan(question().replace(name="sgd", optimizer=SGD()), tmp_path_factory.mktemp("sgd"))


@pytest.fixture(scope="session")
def diverging_output(small: Plan, tmp_path_factory: pytest.TempPathFactory) -> Output:
    """A plan whose second arm diverges."""
    arms = (small.arms[0], Arm(name="diverges", schedule=Constant(initial=1e30), stepping="step"))
    return run_plan(small.replace(name="diverging", optimizer=SGD(), arms=arms), tmp_path_factory.mktemp("diverging"))


@pytest.fixture(scope="session")
def askers() -> Iterator[dict[str, Asker]]:
    """One process of each framework, to be asked for its native schedules again and again."""
    started = {framework: Asker(framework) for framework in FRAMEWORKS}
    yield started
    for asker in started.values():
        asker.close()
