"""What the page says, and what it cannot be made to say."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edgebin.profile.record import RunRecord, Validity
from edgebin.report import Failed, Run, read_run, report_html
from tests.report.builder import (
    HOSTILE,
    estimated_record,
    hostile_record,
    invalid_record,
    measured_record,
    write_run,
)

HARMLESS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "footer", "article", "section", "div"),
    *("span", "p", "h1", "h2", "h3", "h4", "h5", "a", "strong", "em", "small", "code", "ul", "li", "dl", "dt", "dd"),
    *("figure", "figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("svg", "defs", "desc", "pattern", "circle", "path", "line", "rect", "polyline", "polygon", "text"),
}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(*records: RunRecord) -> str:
    return report_html([Run(record) for record in records])


def test_a_measurement_says_what_was_gained_in_one_sentence() -> None:
    text = Elements(page(measured_record())).text.replace("\u202f", " ")
    assert (
        "digits-rpi5.ebz runs 3.74× faster than fp32 on pi5 (Raspberry Pi 5): 24.6 ms instead of 92.1 ms per inference "
        "(95 % interval 3.73× to 3.76×)." in text
    )
    assert "It takes 0.125 J per inference, 4.70× less than fp32." in text
    assert "Trust class C: a sum of rails." in text
    assert "est." not in text


def test_every_figure_of_an_estimate_is_marked() -> None:
    html = page(estimated_record())
    text = Elements(html).text.replace("\u202f", " ")
    assert "Estimate, not measured" in text
    assert "~92.3 ms instead of ~1222 ms per inference (estimate, −24…+18 %)." in text
    assert "~0.21–0.34 J" in text
    for figure in ("92.3", "1222", "13.2×", "0.21–0.34 J"):
        assert set(re.findall(rf"(.){re.escape(figure)}", text)) == {"~"}


def test_an_estimated_energy_beside_a_measured_latency_is_marked() -> None:
    energies = {variant.name: variant.energy for variant in estimated_record().variants}
    record = measured_record(energy=False)
    variants = tuple(replace(variant, energy=energies.get(variant.name)) for variant in record.variants)
    html = page(replace(record, variants=variants, no_energy=None))
    text = Elements(html).text
    assert "Latency measured" in text
    assert "Energy estimated" in text
    assert "It should take ~0.21–0.34 J per inference: an estimate." in text
    assert "Trust class E: an estimate that nobody measured." in text
    assert set(re.findall(r"(.)0\.21–0\.34 J", text)) == {"~"}


def test_estimates_and_measurements_never_look_alike() -> None:
    shapes = {
        kind: {attributes.get("class") or "" for tag, attributes in Elements(html).found if tag in ("rect", "path")}
        for kind, html in (("measured", page(measured_record())), ("estimate", page(estimated_record())))
    }
    drawn = {kind: {c for c in found if re.match(r"(c\d|p-\w+) ", c)} for kind, found in shapes.items()}
    assert drawn["measured"]
    assert drawn["estimate"]
    assert all(re.search(r"solid|pale", c) for c in drawn["measured"])
    assert all(re.search(r"hollow|estimate|outlined|on-paper", c) for c in drawn["estimate"])


def test_an_invalid_measurement_says_why_and_what_to_do_before_its_figures() -> None:
    text = Elements(page(invalid_record())).text
    warning = text.index("These figures must not be trusted.")
    assert warning < text.index("Median latency")
    assert "The board slowed itself down" in text[warning:]
    assert text.count("of_a_newer_edgebin") == 2
    assert "✓ Valid" not in text


def test_flags_of_a_valid_measurement_are_good_to_know() -> None:
    text = Elements(page(replace(measured_record(), validity=Validity(True, ("below_nominal",))))).text
    assert "✓ Valid. Good to know:" in text
    assert "must not be trusted" not in text


def test_a_record_cannot_put_anything_into_the_page(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", hostile_record(), rounds=2))
    html = report_html([run, run])
    elements = Elements(html)
    assert {tag for tag, _ in elements.found} <= HARMLESS
    for _, attributes in elements.found:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "srcdoc")]
        assert (attributes.get("href") or "#").startswith("#")
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "49" not in re.findall(r"\{\{.*?\}\}", html)
    assert HOSTILE[0] in elements.text
    assert not set(elements.text) & {"\x00", "\x1b", "\u202e"}


def test_every_chart_has_a_name_and_a_description() -> None:
    html = page(measured_record((1, 2)), estimated_record())
    charts = re.findall(r'<svg role="img".*?</svg>', html)
    assert len(charts) == 2 * (1 + 9 + 4)
    for chart in charts:
        labelled = re.search(r'aria-labelledby="(\S+)-t (\S+)-d"', chart)
        assert labelled
        name, description = labelled.groups()
        assert re.search(
            rf'<title id="{name}-t">[^<]{{10,}}</title><desc id="{description}-d">[^<]{{10,}}</desc>', chart
        )


def test_thousands_of_samples_make_no_large_page(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", measured_record((1, 2, 4)), rounds=250)
    run = read_run(folder)
    assert sum(len(t.all_ms) for t in run.timings) == 9 * 250 * 8
    assert len(run.traces[0].samples) > 4000
    assert len(report_html([run]).encode()) < 300_000


def test_the_same_run_makes_the_same_page(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", measured_record(), rounds=3))
    assert report_html([run]) == report_html([run])


@pytest.mark.parametrize("ms", [1e-6, 1.0, 1e7])
def test_times_of_any_size_can_be_drawn(tmp_path: Path, ms: float) -> None:
    record = measured_record((1, 2), factor=ms)
    report_html([read_run(write_run(tmp_path / "run", record, rounds=2))])


def test_a_record_without_anything_optional_is_a_page() -> None:
    record = measured_record(energy=False)
    bare = replace(
        record,
        variants=(replace(record.variants[0], speedup=None, peak_rss_bytes=None, load_ms=None, first_ms=None),),
        layers=(),
        notes=(),
        no_energy=None,
        environment=None,
    )
    text = Elements(page(bare)).text.replace("\u202f", " ")
    assert "digits-rpi5.ebz takes 24.6 ms per inference on pi5 (Raspberry Pi 5)." in text


def test_boards_that_failed_are_in_the_page() -> None:
    text = Elements(report_html([Run(measured_record())], [Failed("nano-2", "<b>gone</b>")])).text
    assert "1 run compared, 1 failed" in text
    assert "✕ nano-2" in text
    assert "<b>gone</b>" in text
