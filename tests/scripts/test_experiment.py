from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from scripts.experiments.grid import cells
from scripts.experiments.plot import Curve, plot
from scripts.experiments.report import RANK_CURVE_NAME, report


def result(method: str, rank: int, rate: float, loss: float | None, seed: int = 0) -> Any:
    return {"method": method, "rank": rank, "rate": rate, "loss": loss, "seed": seed, "trained": 10}


def page(*results: Any) -> str:
    return report({str(number): one for number, one in enumerate(results)}, "a machine")[0]


def test_every_cell_of_the_grid_has_its_own_name_and_valid_fields() -> None:
    grid = list(cells())

    assert len({cell.name for cell in grid}) == len(grid)
    assert all(("fine_tune_type" in cell.fields) == (cell.rank == 0) for cell in grid)


def test_a_claim_that_the_numbers_deny_is_reported_as_denied() -> None:
    text = page(result("full", 16, 1e-3, 0.9), result("attention", 37, 1e-3, 0.5))

    assert "beats attention alone at equal size*: LoRA, all, rank 16 0.900" in text
    assert "does not hold." in text


def test_what_lies_within_the_noise_is_called_equal() -> None:
    text = page(result("full", 16, 1e-3, 0.505), result("attention", 37, 1e-3, 0.5))

    assert "equal within noise" in text


def test_a_rate_at_which_a_run_diverged_is_never_the_best() -> None:
    text = page(result("weights", 0, 1e-3, None), result("weights", 0, 1e-4, 0.7))

    assert "| **0.700** |" in text


def test_the_picture_is_well_formed_and_has_a_line_for_each_curve() -> None:
    drawn = plot([Curve("a < b", [(1e-4, 1.0), (1e-3, 0.5)])] * 2, x="rate", y="loss")

    tree = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    assert len(tree.findall("{http://www.w3.org/2000/svg}polyline")) == 2


def test_each_size_is_compared_and_has_its_point_in_the_picture_by_rank() -> None:
    sizes = [("full", 1, 1.0), ("attention", 2, 0.9), ("full", 16, 0.5), ("attention", 37, 0.8)]
    results = [result(method, rank, 1e-3, loss) for method, rank, loss in sizes]
    text, pictures = report({str(number): one for number, one in enumerate(results)}, "a machine")

    assert "LoRA, all, rank 1 1.000, LoRA, attention, rank 2 0.900; does not hold." in text
    assert "LoRA, all, rank 16 0.500, LoRA, attention, rank 37 0.800; holds." in text
    assert pictures[RANK_CURVE_NAME].count("<circle") == 4
