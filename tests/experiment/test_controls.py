import numpy as np
import pytest

from samestep.experiment import controls
from samestep.experiment.plan import CsvData, Network, question
from samestep.experiment.validation import PlanError

PLAN = question()


def test_question_data_are_a_noisy_square():
    x, y = controls.data(PLAN)
    assert x.shape == y.shape == (1000, 1)
    assert x.dtype == y.dtype == np.float32
    assert x.min() >= 0
    assert x.max() < 2
    assert (y - x**2).std() == pytest.approx(0.05, rel=0.1)


def test_every_epoch_has_an_order_of_its_own():
    first, second = (controls.order(PLAN, 0, epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(1000))
    assert (first != second).any()
    assert (first != controls.order(PLAN, 1, 0)).any()


@pytest.mark.parametrize("epoch", [0, 7, 49, 10**9])
def test_any_epoch_is_known_without_the_ones_before(epoch):
    for before in (0, 3):
        controls.order(PLAN, 0, before)
        controls.masks(PLAN, 0, before)
    alone, masks = controls.order(PLAN, 0, epoch), controls.masks(PLAN, 0, epoch)
    np.testing.assert_array_equal(controls.order(PLAN, 0, epoch), alone)
    np.testing.assert_array_equal(controls.masks(PLAN, 0, epoch)[1], masks[1])


def test_streams_of_different_purposes_differ():
    draws = {
        controls.generator(seed, purpose, epoch, layer).bytes(16)
        for seed in (0, 1)
        for purpose in controls.Purpose
        for epoch in (0, 1)
        for layer in (0, 1)
    }
    assert len(draws) == 2 * 4 * 2 * 2


def test_weights_are_glorot_uniform_and_biases_zero():
    plan = PLAN.replace(network=Network(hidden=(400, 300), activation="tanh", dropout=0.0))
    layers = controls.weights(plan, 0, 1)
    assert [kernel.shape for kernel, _ in layers] == [(1, 400), (400, 300), (300, 1)]
    for kernel, bias in layers:
        limit = np.sqrt(6 / sum(kernel.shape))
        assert np.abs(kernel).max() <= limit
        assert np.abs(kernel).max() > 0.95 * limit
        assert not bias.any()
        assert kernel.dtype == bias.dtype == np.float32
    assert layers[1][0].std() == pytest.approx(np.sqrt(2 / 700), rel=0.02)


@pytest.mark.parametrize(("dropout", "precision"), [(0.2, "float32"), (0.5, "float64"), (0.0, "float32")])
def test_masks_drop_that_part_and_scale_the_rest(dropout, precision):
    plan = PLAN.replace(precision=precision, network=Network(hidden=(50, 20), activation="tanh", dropout=dropout))
    masks = controls.masks(plan, 0, 3)
    assert [mask.shape for mask in masks] == [(1000, 50), (1000, 20)]
    for mask in masks:
        assert mask.dtype == precision
        assert set(np.unique(mask)) <= {0, np.dtype(precision).type(1) / np.dtype(precision).type(1 - dropout)}
        assert (mask == 0).mean() == pytest.approx(dropout, abs=0.02)


@pytest.mark.parametrize(
    ("dropout", "precision", "hidden"),
    [(0.2, "float32", (50, 20)), (0.5, "float64", (3,)), (0.0, "float32", (1, 7, 4)), (0.3, "float32", ())],
)
def test_draws_for_many_epochs_have_the_same_bits(dropout, precision, hidden):
    network = Network(hidden=hidden, activation="tanh", dropout=dropout)
    plan = PLAN.replace(precision=precision, network=network, data=PLAN.data.model_copy(update={"samples": 101}))
    draws = controls.Draws(plan)
    for seed, epoch in [(0, 0), (2**32 - 1, 3), (7, 10**9), (0, 0)]:
        np.testing.assert_array_equal(draws.order(seed, epoch), controls.order(plan, seed, epoch))
        for keeps, mask in zip(draws.keeps(seed, epoch), controls.masks(plan, seed, epoch), strict=True):
            np.testing.assert_array_equal(keeps * controls.kept(plan), mask)
            assert (keeps * controls.kept(plan)).dtype == mask.dtype


def test_each_half_of_a_draw_decides_on_one_unit():
    """What masks are must stay the same for good: 32 bits a unit, the low half of a draw before the high one."""
    plan = PLAN.replace(
        network=Network(hidden=(3,), activation="tanh", dropout=0.2),
        data=PLAN.data.model_copy(update={"samples": 101}),
    )
    (mask,) = controls.masks(plan, seed=5, epoch=7)
    draws = controls.generator(5, controls.Purpose.MASKS, 7, 0).bit_generator.random_raw(152)
    halves = [half for draw in draws.tolist() for half in (draw % 2**32, draw // 2**32)]
    assert mask.ravel().astype(bool).tolist() == [half / 2**32 < 0.8 for half in halves[:303]]


def test_native_seeds_differ_by_purpose_and_seed():
    seeds = {controls.native_seed(seed, purpose) for seed in range(50) for purpose in controls.Purpose}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_value_beyond_float32_is_refused(tmp_path):
    (tmp_path / "rows.csv").write_text("a,y\n1e300,2\n")
    data = CsvData(path=str(tmp_path / "rows.csv"), target="y", samples=1)
    with pytest.raises(PlanError, match="too large for float32"):
        controls.data(PLAN.replace(data=data))
    x, _ = controls.data(PLAN.replace(data=data, precision="float64"))
    assert x[0, 0] == 1e300


def test_memory_is_that_of_one_epoch():
    import tracemalloc

    def peak(epochs):
        tracemalloc.start()
        for epoch in range(epochs):
            controls.order(PLAN, 0, epoch)
            controls.masks(PLAN, 0, epoch)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(50) < 1.5 * peak(1)
