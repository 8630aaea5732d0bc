import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestep.experiment.clock import Duration
from samestep.experiment.plan import (
    SGD,
    Adam,
    AdamW,
    Arm,
    Constant,
    Controls,
    Momentum,
    Network,
    Plan,
    QuestionData,
    question,
)
from samestep.experiment.schedules import ExponentialDecay
from samestep.experiment.validation import PlanError

rates = st.floats(1e-12, 1e3)
betas = st.floats(0, 1, exclude_max=True)
durations = st.one_of(
    st.integers(1, 10**6).map(lambda count: f"{count} steps"),
    st.integers(1, 10**4).map(lambda count: f"{count} epochs"),
).map(Duration.parse)
schedules = st.one_of(
    st.builds(Constant, initial=rates),
    st.builds(
        ExponentialDecay,
        initial=rates,
        factor=st.floats(0, 1, exclude_min=True),
        every=durations,
        staircase=st.booleans(),
    ),
)
optimizers = st.one_of(
    st.just(SGD()),
    st.builds(Momentum, momentum=st.floats(0.01, 0.99), nesterov=st.booleans()),
    st.builds(Adam, beta_1=betas, beta_2=betas, epsilon=rates, amsgrad=st.booleans()),
    st.builds(AdamW, beta_1=betas, beta_2=betas, epsilon=rates, amsgrad=st.booleans(), weight_decay=st.floats(0, 1)),
)
names = st.from_regex(r"[A-Za-zΣ-ω0-9][A-Za-z0-9 ._-]{0,20}[a-z0-9]", fullmatch=True)


@st.composite
def plans(draw):
    count = draw(st.integers(1, 4))
    return Plan(
        schema=1,
        name=draw(names),
        data=draw(
            st.builds(QuestionData, samples=st.integers(1, 9999), noise=st.floats(0, 9), seed=st.integers(0, 99))
        ),
        batch_size=draw(st.integers(1, 512)),
        drop_last=False,
        epochs=draw(st.integers(1, 1000)),
        network=Network(
            hidden=tuple(draw(st.lists(st.integers(1, 64), max_size=3))),
            activation=draw(st.sampled_from(["tanh", "relu", "linear"])),
            dropout=draw(betas),
        ),
        optimizer=draw(optimizers),
        precision=draw(st.sampled_from(["float32", "float64"])),
        seeds=tuple(draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3, unique=True))),
        controls=draw(
            st.builds(Controls, **dict.fromkeys(Controls.model_fields, st.sampled_from(["shared", "native"])))
        ),
        arms=tuple(
            Arm(name=f"arm-{number}", schedule=draw(schedules), stepping=draw(st.sampled_from(["step", "epoch"])))
            for number in range(count)
        ),
    )


@given(plans())
def test_plan_survives_json(plan):
    assert Plan.from_json(plan.to_json()) == plan


def test_question_is_the_design():
    plan = question()
    assert plan.name == "question"
    assert plan.clock.steps_per_epoch == 32
    assert plan.steps == 1600
    assert [arm.name for arm in plan.arms] == [
        "constant",
        "staircase-steps",
        "staircase-epochs",
        "smooth-steps",
        "smooth-epochs",
    ]
    assert [str(arm.schedule.every) for arm in plan.arms[1:]] == ["25 steps", "25 epochs", "25 steps", "25 epochs"]
    assert plan.optimizer == Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False)


def put(place, value):
    """A change of a plan's JSON: `place` like 'arms.1.schedule.every'."""

    def change(data):
        *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
        for part in way:
            data = data[part]
        data[last] = value

    return change


def drop(place):
    def change(data):
        *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
        for part in way:
            data = data[part]
        del data[last]

    return change


WRONG = {
    "unknown-key": (put("epocs", 50), "'epocs' is not a key. Did you mean 'epochs'?"),
    "unknown-key-inside": (put("optimizer.momentum", 0.9), "optimizer: 'momentum' is not a key."),
    "missing-key": (drop("epochs"), "the key 'epochs' is missing."),
    "missing-key-inside": (drop("arms.1.schedule.staircase"), "arms[1].schedule: the key 'staircase' is missing."),
    "missing-kind": (drop("arms.1.schedule.kind"), "Write its 'kind' as well."),
    "unknown-kind": (put("arms.1.schedule.kind", "cosin"), "arms[1].schedule: got 'cosin'"),
    "no-unit": (put("arms.1.schedule.every", "25"), "arms[1].schedule.every: '25' has no unit. Write '25 steps' or"),
    "no-unit-number": (put("arms.1.schedule.every", 25), "arms[1].schedule.every: '25' has no unit."),
    "divided-step": (put("arms.1.schedule.every", "2.5 steps"), "'2.5 steps' divides a step"),
    "divided-step-in-epochs": (put("arms.1.schedule.every", "0.3 epochs"), "'0.3 epochs' is 9.6 steps"),
    "negative-duration": (put("arms.1.schedule.every", "-1 epochs"), "'-1 epochs' is not a positive duration"),
    "zero-epochs": (put("epochs", 0), "epochs: got 0. Write a number of at least 1."),
    "negative-epochs": (put("epochs", -3), "epochs: got -3."),
    "fractional-epochs": (put("epochs", 2.5), "epochs: got 2.5. Write a whole number."),
    "epochs-as-text": (put("epochs", "50"), "epochs: got '50'. Write a whole number."),
    "epochs-as-bool": (put("epochs", True), "epochs: got True. Write a whole number."),
    "zero-batch-size": (put("batch_size", 0), "batch_size: got 0."),
    "zero-samples": (put("data.samples", 0), "data.samples: got 0."),
    "fractional-samples": (put("data.samples", 10.5), "data.samples: got 10.5."),
    "zero-width": (put("network.hidden", [10, 0]), "network.hidden[1]: got 0."),
    "no-step-left": (put("batch_size", 2000), None),
    "factor-above-1": (
        put("arms.1.schedule.factor", 95),
        "arm 'staircase-steps': the exponential schedule grows past 3e+38, what float32 holds, at step 1599.",
    ),
    "factor-0": (put("arms.1.schedule.factor", 0), "arms[1].schedule.factor: got 0. Write a number above 0."),
    "factor-nan": (put("arms.1.schedule.factor", float("nan")), "arms[1].schedule.factor: got nan."),
    "initial-inf": (put("arms.0.schedule.initial", float("inf")), "arms[0].schedule.initial: got inf."),
    "dropout-1": (put("network.dropout", 1.0), "network.dropout: got 1.0. Write a number below 1."),
    "dropout-negative": (put("network.dropout", -0.1), "network.dropout: got -0.1. Write a number of at least 0."),
    "two-arms-of-one-name": (put("arms.1.name", "constant"), "arms: 'constant' is there twice."),
    "two-seeds": (put("seeds", [1, 1]), "seeds: 1 is there twice."),
    "no-arms": (put("arms", []), "arms: got []. Write at least 1."),
    "no-seeds": (put("seeds", []), "seeds: got []. Write at least 1."),
    "arm-with-slash": (put("arms.1.name", "a/b"), "arms[1].name: 'a/b' cannot be a name."),
    "arm-with-backslash": (put("arms.1.name", "a\\b"), "cannot be a name."),
    "arm-with-newline": (put("arms.1.name", "a\n"), "cannot be a name."),
    "arm-like-a-formula": (put("arms.1.name", "=1+1"), "arms[1].name: '=1+1' cannot be a name."),
    "plan-goes-up": (put("name", "../x"), "name: '../x' cannot be a name."),
    "plan-without-name": (put("name", ""), "name: '' cannot be a name."),
    "unknown-activation": (put("network.activation", "gelo"), "network.activation: got 'gelo'."),
    "unknown-precision": (put("precision", "float16"), "precision: got 'float16'."),
    "unknown-control": (put("controls.order", "both"), "controls.order: got 'both'."),
    "unknown-stepping": (put("arms.1.stepping", "batch"), "arms[1].stepping: got 'batch'."),
    "newer-schema": (put("schema", 2), "schema: got 2. Write 1."),
    "no-object": (put("network", 3), "network: got 3. Write an object in { }."),
    "no-list": (put("arms", 3), "arms: got 3. Write a list in [ ]."),
    "seed-too-large": (put("seeds", [2**32]), "seeds[0]: got 4294967296."),
    "initial-beyond-float32": (put("arms.0.schedule.initial", 1e39), "arms[0].schedule.initial: got 1e+39."),
    "name-ends-in-underscore": (put("name", "abc_"), "'abc_' cannot be a name."),
    "csv-native": (
        put("data", {"kind": "csv", "path": "x.csv", "target": "y", "samples": 5}),
        "controls.data: 'native' has no meaning for a CSV file.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_plan_is_refused_in_a_line(case):
    change, says = WRONG[case]
    data = json.loads(question().to_json())
    if case == "no-step-left":
        data["drop_last"], says = True, "drop_last leaves no update in an epoch."
    if case == "csv-native":
        data["controls"]["data"] = "native"
    change(data)
    with pytest.raises(PlanError) as error:
        Plan.from_json(json.dumps(data))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def drop_all(*places):
    def change(data):
        for place in places:
            drop(place)(data)

    return change


def put_all(**places):
    """Changes of a plan's JSON; `__` stands for the dot of a place."""

    def change(data):
        for place, value in places.items():
            put(place.replace("__", "."), value)(data)

    return change


SEVERAL = {
    "missing": (drop_all("epochs", "seeds", "arms"), "the keys 'epochs', 'seeds' and 'arms' are missing."),
    "missing-at-two-places": (
        drop_all("epochs", "arms.1.schedule.every", "arms.1.schedule.factor"),
        "the key 'epochs' is missing. arms[1].schedule: the keys 'factor' and 'every' are missing.",
    ),
    "unknown": (
        put_all(optimizer__zzz=1, optimizer__momentum=0.9),
        "optimizer: 'zzz' and 'momentum' are not keys. Known here: kind, beta_1, beta_2, epsilon, amsgrad.",
    ),
    "unknown-and-wrong": (
        put_all(epocs=3, network__hiden=[1], network__dropout=2),
        (
            "'epocs' is not a key. Did you mean 'epochs'? network: 'hiden' is not a key. Did you mean 'hidden'? "
            "network.dropout: got 2. Write a number below 1.0."
        ),
    ),
    "wrong": (
        put_all(epochs=0, arms__1__schedule__every=25, arms__2__schedule__factor=-1),
        (
            "epochs: got 0. Write a number of at least 1. "
            "arms[1].schedule.every: '25' has no unit. Write '25 steps' or '25 epochs'. "
            "arms[2].schedule.factor: got -1. Write a number above 0.0."
        ),
    ),
    "do-not-fit": (
        put_all(seeds=[1, 1], arms__1__schedule__every="0.3 epochs"),
        (
            "seeds: 1 is there twice. Give each its own. arm 'staircase-steps': every: '0.3 epochs' is 9.6 steps with 32 "
            "steps per epoch. Write a duration that makes a whole number of steps, like '10 steps'."
        ),
    ),
    "short-form": (
        put_all(arms__1__schedule="exponential:initial=0,every=25"),
        (
            "arms[1].schedule: the key 'factor' is missing. arms[1].schedule.initial: got 0. Write a number above 0.0. "
            "arms[1].schedule.every: '25' has no unit. Write '25 steps' or '25 epochs'."
        ),
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_every_mistake_of_a_plan_is_named(case):
    change, says = SEVERAL[case]
    data = json.loads(question().to_json())
    change(data)
    with pytest.raises(PlanError) as error:
        Plan.from_json(json.dumps(data))
    assert str(error.value) == says


def test_a_key_that_is_misspelt_is_not_called_missing_as_well():
    data = json.loads(question().to_json())
    data["epocs"] = data.pop("epochs")
    with pytest.raises(PlanError) as error:
        Plan.from_json(json.dumps(data))
    assert str(error.value) == "'epocs' is not a key. Did you mean 'epochs'?"


def test_more_mistakes_than_anybody_reads_are_counted():
    data = json.loads(question().to_json()) | {"seeds": ["a"] * 1000}
    with pytest.raises(PlanError, match=r"seeds\[19\]: got 'a'\. Write a whole number\. \(and 980 more\)$"):
        Plan.from_json(json.dumps(data))


def test_schedule_of_an_arm_is_taken_in_the_short_form_and_saved_as_json():
    data = json.loads(question().to_json())
    data["arms"][1]["schedule"] = "exponential:initial=1e-3,factor=0.95,every=25 steps,staircase"
    plan = Plan.from_json(json.dumps(data))
    assert plan == question()
    assert plan.to_json() == question().to_json()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cosin:initial=1", "arms[1].schedule: 'cosin' is not a kind of schedule. Write one of constant,"),
        ("plan.json", "arms[1].schedule: 'plan.json' is not a kind of schedule."),  # no file is read
        ("constant:initial=1,initial=2", "arms[1].schedule: 'initial' is there twice."),
        ("warmup:initial=0,over=1 epoch,then=(constant:initial=0)", "arms[1].schedule.then.initial: got 0."),
        ("warmup:then=(" * 3000 + ")" * 3000, "arms[1].schedule: no schedule: nested too deeply."),
    ],
)
def test_wrong_short_form_is_refused_with_its_arm(text, says):
    data = json.loads(question().to_json())
    data["arms"][1]["schedule"] = text
    with pytest.raises(PlanError) as error:
        Plan.from_json(json.dumps(data))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON: Expecting property name"),
        ("[]", "no plan: got list."),
        ("", "not JSON"),
        ('{"name": 1, "name": 2}', "the key 'name' is there twice. Keep one."),
        ('{"a": 1, "b": 1, "a": 2, "b": 2}', "the keys 'a' and 'b' are there twice. Keep one of each."),
        ('{"epochs": ' + "9" * 5000 + "}", "Write shorter ones"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_plan_is_refused_in_a_line(text, says):
    with pytest.raises(PlanError, match=says):
        Plan.from_json(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_gives_a_plan_or_a_line(value):
    with pytest.raises(PlanError) as error:
        Plan.from_json(json.dumps(value))
    assert len(str(error.value).splitlines()) == 1


def test_plan_is_found_or_named(tmp_path):
    with pytest.raises(PlanError, match=r"absent.json: No such file"):
        Plan.load(tmp_path / "absent.json")
    with pytest.raises(PlanError, match=r"Is a directory"):
        Plan.load(tmp_path)
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xe9"}')
    with pytest.raises(PlanError, match="not UTF-8"):
        Plan.load(tmp_path / "latin.json")


def csv_plan(tmp_path, text, **data):
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    plan = json.loads(question().to_json())
    plan["data"] = {"kind": "csv", "path": "rows.csv", "target": "y"} | data
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    return path


def test_csv_data_are_found_beside_the_plan_and_counted(tmp_path):
    plan = Plan.load(csv_plan(tmp_path, "a,y,b\n1,2,3\n4,5,6\n"))
    assert plan.data.samples == 2
    assert plan.data.path == str(tmp_path / "rows.csv")
    assert plan.clock.steps_per_epoch == 1
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("text", "data", "says"),
    [
        ("a,b\n1,2\n", {}, "has no column 'y'. Name one of its columns as target: a, b."),
        ("a,y\n1,2\n3,hello\n", {}, "line 3, column 'y': 'hello' is not a finite number."),
        ("a,y\n1,2\nx,4\n", {}, "line 3, column 'a': 'x' is not a finite number."),
        ("a,y\n1,\n", {}, "line 2, column 'y': '' is not a finite number."),
        ("a,y\n1,1_000\n", {}, "'1_000' is not a finite number."),
        ("a,y\n1,2\n", {"path": "a\0b"}, "Write it without control characters."),
        ("a,y\n1,nan\n", {}, "'nan' is not a finite number."),
        ("a,y\n1,2,3\n", {}, "line 2 has 3 cells, its header 2."),
        ("a,y\n", {}, "has a header and no rows."),
        ("", {}, "has no column 'y'. Name one of its columns as target: none."),
        ("y\n1\n", {}, "two or more"),
        ("a,a,y\n1,2,3\n", {}, "each with its own name"),
        ("a,y\n1,2\n", {"samples": 7}, "has 1 rows, the plan says 7."),
        ("a,y\n1,2\n", {"path": "absent.csv"}, "absent.csv: No such file"),
        ('a,y\n"1,2\n', {}, "is not CSV in UTF-8"),
    ],
)
def test_wrong_csv_data_are_refused_in_a_line(tmp_path, text, data, says):
    with pytest.raises(PlanError) as error:
        Plan.load(csv_plan(tmp_path, text, **data))
    assert says in str(error.value)
    assert "\n" not in str(error.value)
