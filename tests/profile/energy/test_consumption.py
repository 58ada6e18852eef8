"""Estimates of energy: ranges that hold every published point, and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgebin.errors import InputError
from edgebin.profile.energy.consumption import BOUNDARY, estimate_energy, power_range_w, why_no_estimate
from edgebin.profile.quantities import ErrorBound, EstimatedLatency, MeasuredLatency
from edgebin.targets import Target, list_targets, load_target

ESTIMATED = ("rpi3b-plus", "rpi4b", "rpi5", "rpi-zero2w", "jetson-nano")
REFUSED = ("jetson-tx2", "jetson-xavier-nx", "jetson-orin-nano")
MEASURED = MeasuredLatency(50, 19.0, 21.0, 22.0, 18.0, 20.0, 0.5)


def test_every_board_is_estimated_or_refused() -> None:
    assert {target.id for target in list_targets() if target.arch == "aarch64"} == {*ESTIMATED, *REFUSED}


@pytest.mark.parametrize("id_", REFUSED)
def test_refusal_says_why(id_: str) -> None:
    target = load_target(id_)
    reason = why_no_estimate(target)
    assert reason is not None
    assert target.power is not None
    assert not target.power.published
    with pytest.raises(InputError, match="published"):
        estimate_energy(target, MEASURED, 1)


def test_a_target_without_the_table_is_refused() -> None:
    target = load_target("rpi4b").model_copy(update={"power": None})
    assert why_no_estimate(target) == "no power of Raspberry Pi 4B has been published in its target file"
    with pytest.raises(InputError):
        power_range_w(target, 1)


@pytest.mark.parametrize("id_", ESTIMATED)
def test_the_range_holds_every_published_point(id_: str) -> None:
    target = load_target(id_)
    assert why_no_estimate(target) is None
    assert target.power is not None
    low, high = power_range_w(target, target.cores)
    for published in target.power.published.values():
        for watts in (published.stress_w, published.heaviest_w, published.active_w):
            assert watts is None or low <= watts <= high
    one_low, one_high = power_range_w(target, 1)
    assert one_low <= low
    assert one_high <= high
    assert one_low < one_high
    idle = [published.idle_w for published in target.power.published.values() if published.idle_w is not None]
    assert min(idle) < one_low


def test_figures_of_the_pi_4() -> None:
    """One of four cores: PowerJoular 2.286 + 4.534 / 4, Geerling 1.6 + 3.4 / 4 and 1.6 + 5.6 / 4, docs 3.1 + 3 / 4."""
    assert power_range_w(load_target("rpi4b"), 1) == pytest.approx((1.6 + 3.4 / 4, 3.1 + 3.0 / 4))
    assert power_range_w(load_target("rpi4b"), 4) == pytest.approx((5.0, 7.2))
    assert power_range_w(load_target("rpi4b"), 64) == power_range_w(load_target("rpi4b"), 4)


def test_energy_of_a_measured_latency() -> None:
    energy = estimate_energy(load_target("rpi4b"), MEASURED, 4)
    assert (energy.mean_low_w, energy.mean_high_w) == (5.0, 7.2)
    assert energy.total_low_j_per_inference == pytest.approx(0.1)
    assert energy.total_high_j_per_inference == pytest.approx(0.144)
    assert energy.kind == "estimate"
    assert any("Geerling" in line for line in energy.basis)
    assert "latency is measured" in energy.basis


def test_an_estimated_latency_widens_the_range() -> None:
    latency = EstimatedLatency(20.0, 1e6, 10**6, ErrorBound(-0.25, 0.5, "a simulator"), {})
    energy = estimate_energy(load_target("rpi4b"), latency, 4)
    assert energy.total_low_j_per_inference == pytest.approx(5.0 * 0.015)
    assert energy.total_high_j_per_inference == pytest.approx(7.2 * 0.03)
    assert any("a simulator" in line for line in energy.basis)


def _with_power(power: dict[str, object]) -> dict[str, object]:
    return {**load_target("rpi4b").model_dump(mode="json", exclude_none=True), "power": power}


@pytest.mark.parametrize(
    "power",
    [
        {},
        {"refused": "no", "published": {"a": {"source": "s", "active_w": 1.0}}},
        {"published": {"a": {"source": "s", "idle_w": 1.0}}},
        {"published": {"a": {"source": "s", "stress_w": 1.0}}},
        {"published": {"a": {"source": "s", "idle_w": 2.0, "stress_w": 1.0}}},
        {"published": {"a": {"idle_w": 2.0, "stress_w": 3.0}}},
        {"published": {"a": {"source": "s", "active_w": -1.0}}},
    ],
)
def test_tables_that_make_no_sense(power: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="power"):
        Target.model_validate(_with_power(power))


def test_the_document_says_what_an_estimate_is_of() -> None:
    page = (Path(__file__).parents[3] / "docs/board.md").read_text(encoding="utf-8")
    assert f"| none: an estimate | E | {BOUNDARY} |" in page.splitlines()
