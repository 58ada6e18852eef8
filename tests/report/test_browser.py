"""The page in a real browser: from disk, on a desktop and a phone, light and dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgebin.profile.record import Device
from edgebin.report import read_run, report_html
from tests.report import builder

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VIEWS = [(1280, "light"), (1280, "dark"), (820, "light"), (390, "light"), (390, "dark")]
JETSON = Device("jetson-nano", "Jetson Nano", "Arm Cortex-A57", 1_479_000_000, "Ubuntu 18.04", "nano-1")

RECORDS = {
    "energy": [builder.measured_record()],
    "estimate": [builder.estimated_record()],
    "invalid": [builder.invalid_record()],
    "threads": [builder.measured_record((1, 2, 4))],
    "hostile": [builder.hostile_record()],
    "boards": [
        builder.measured_record(),
        builder.measured_record(device=JETSON, factor=3.1),
        builder.estimated_record(),
        builder.invalid_record(),
    ],
}
CHARTS = {"energy": 10, "estimate": 4, "invalid": 8, "threads": 12, "hostile": 9, "boards": 1 + 10 + 10 + 4 + 8}

# What is wrong with the page, as a list of sentences. Foldable parts are opened first, so that all of it is looked at.
PROBLEMS = """() => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  const found = [], width = document.documentElement.clientWidth;
  const shows = (e) => e.checkVisibility() && e.getBoundingClientRect().width > 0;
  const hidden = (e) => e.closest('thead') && getComputedStyle(e.closest('thead')).position === 'absolute';
  const wide = document.documentElement.scrollWidth;
  if (wide > width) found.push(`the page is ${wide} wide`);

  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const [r, g, b, alpha = 1] = channels(getComputedStyle(e).backgroundColor);
      if (alpha > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement, text = node.textContent.trim();
    if (!text || e.closest('title, desc, style') || !shows(e) || hidden(e)) continue;
    const style = getComputedStyle(e), own = e.closest('svg') ? style.fill : style.color;
    const [light, dark] = [channels(own).slice(0, 3), ground(e)].map(luminance).sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.push(`contrast ${contrast.toFixed(2)} of "${text.slice(0, 40)}"`);
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.left < -0.5 || box.right > width + 0.5) found.push(`"${text.slice(0, 40)}" leaves the page`);
    for (let box = e; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== 'visible' && !box.closest('svg') && box.scrollWidth > box.clientWidth)
        found.push(`"${text.slice(0, 40)}" is clipped`);
  }

  for (const svg of document.querySelectorAll('svg[role=img]')) {
    if (!shows(svg)) continue;
    const named = svg.getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id));
    const name = named.map((e) => (e && svg.contains(e) ? e.textContent : '')).join(' ').trim();
    if (name.length < 10) found.push(`a chart is called "${name}"`);
    const view = svg.viewBox.baseVal, box = svg.getBoundingClientRect();
    if (box.height < 30) found.push(`chart "${name.slice(0, 40)}" is ${box.height} high`);
    if (box.width / view.width < 0.75) found.push(`chart "${name.slice(0, 40)}" is drawn too small`);
    const texts = [...svg.querySelectorAll('text')].map((e) => [e.textContent, e.getBBox()]);
    texts.forEach(([text, a], i) => {
      if (a.x < view.x - 2 || a.x + a.width > view.x + view.width + 2 || a.y < -1 || a.y + a.height > view.height + 1)
        found.push(`"${text}" leaves chart "${name.slice(0, 40)}"`);
      for (const [other, b] of texts.slice(i + 1)) {
        const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        if (across > 0.5 && down > 2.5) found.push(`"${text}" and "${other}" overlap in "${name.slice(0, 40)}"`);
      }
    });
  }
  return found;
}"""
VISIBLE_CHARTS = "() => [...document.querySelectorAll('svg[role=img]')].filter((e) => e.checkVisibility()).length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    written: dict[str, Path] = {}

    def path(name: str) -> Path:
        if name not in written:
            folder = tmp_path_factory.mktemp(name)
            runs = [
                read_run(builder.write_run(folder / str(number), record, rounds=12))
                for number, record in enumerate(RECORDS[name])
            ]
            written[name] = folder / "report.html"
            written[name].write_text(report_html(runs), encoding="utf-8")
        return written[name]

    return path


@pytest.mark.parametrize("name", RECORDS)
def test_the_page_stands_in_a_browser(browser: Any, page_of: Any, name: str) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_of(name).as_uri())
    grounds = set()
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(PROBLEMS) == [], f"at {width} px, {scheme}"
        assert page.evaluate(VISIBLE_CHARTS) == CHARTS[name]
        grounds.add((scheme, page.evaluate("() => getComputedStyle(document.body).backgroundColor")))
    assert (said, asked) == ([], [page_of(name).as_uri()])
    assert grounds == {("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 20, 23)")}
    page.close()


def test_the_checks_see_what_is_wrong(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        "<body style='margin:0;background:#fff'><p style='color:#999'>pale</p><p style='width:3000px'>wide</p>"
        "<svg role='img' aria-labelledby='t' viewBox='0 0 100 100' width='100' height='100'>"
        "<title id='t'>a chart's name</title>"
        "<text x='10' y='20'>one</text><text x='12' y='21'>two</text><text x='90' y='50'>outside</text></svg>",
        encoding="utf-8",
    )
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(path.as_uri())
    problems = "\n".join(page.evaluate(PROBLEMS))
    page.close()
    assert "the page is 3000 wide" in problems
    assert 'contrast 2.85 of "pale"' in problems
    assert '"one" and "two" overlap' in problems
    assert '"outside" leaves chart' in problems
