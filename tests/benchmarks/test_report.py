"""The JSON that others read, and the documents made from the committed one."""

from __future__ import annotations

from pathlib import Path

from benchmarks.kernels.report import FIELDS, read_report, write_report
from docs import update_kernels

REPORT = read_report(update_kernels.RESULTS)


def test_every_committed_row_has_every_field() -> None:
    assert REPORT["rows"]
    for row in REPORT["rows"]:
        for name, kind in FIELDS.items():
            value = float(row[name]) if isinstance(row[name], int) and name not in ("shape",) else row[name]
            assert isinstance(value, kind), (name, row)
        assert all(isinstance(size, int) for size in row["shape"])


def test_figures_are_null_where_they_do_not_apply() -> None:
    for row in REPORT["rows"]:
        if row["core"] == "x86-64":
            assert row["bmac_per_instruction"] is row["bmac_per_cycle_model"] is None
        else:
            assert row["speedup_vs_ort_fp32"] is row["speedup_vs_ort_int8"] is None


def test_rates_are_stated_with_their_evidence() -> None:
    for core in REPORT["cores"].values():
        assert core["instructions_per_cycle"]["cnt"] > 0
        assert core["evidence"]["source"]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    report = {"rows": [{"kernel": "b1_gemm", "x": 1.23456789, "list": [0.1234567]}, {"kernel": "rows"}], "rounds": 5}
    write_report(report, tmp_path / "report.json")
    rows = [{"kernel": "b1_gemm", "x": 1.2346, "list": [0.12346]}, {"kernel": "rows"}]
    assert read_report(tmp_path / "report.json") == {"rows": rows, "rounds": 5}


def test_documents_agree_with_the_committed_results() -> None:
    text = update_kernels.PAGE.read_text(encoding="utf-8")
    assert text == update_kernels.update(text, REPORT), "run `make docs`"
    assert update_kernels.PLOT.read_text(encoding="utf-8") == update_kernels.plot(REPORT), "run `make docs`"
