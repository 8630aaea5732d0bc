"""Runs that several tests look at: each is made once, by the real command with the real frameworks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from helpers import Asker, Output, exponential, run_plan
from hypothesis import settings

from samestep.experiment.plan import FRAMEWORKS, SGD, Arm, Constant, Plan, question

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A busy machine is no mistake of ours; a check of a commit draws the same examples each time, everybody else new ones.
settings.register_profile("samestep", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("samestep")


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed, and CI must not skip the browser tests.")
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright  # only for those who look at pages

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()
