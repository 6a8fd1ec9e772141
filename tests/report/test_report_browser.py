"""The report in a real browser."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.browser import CHROMIUM, Browser

PHONE, DESKTOP = (390, 844), (1200, 900)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


def centre_of(browser: Browser, selector: str, place: int) -> tuple[float, float]:
    """The middle of one of the elements, in the window."""
    browser.run(
        f"document.querySelectorAll({selector!r})[{place}].scrollIntoView({{block: 'center'}})"
    )
    box = browser.run(
        f"(() => {{ const b = document.querySelectorAll({selector!r})[{place}]"
        ".getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2] })()"
    )
    return box[0], box[1]


def tip(browser: Browser) -> dict[str, Any]:
    return dict(
        browser.run(
            """(() => {
              const tip = document.getElementById("map-tip");
              const picture = document.getElementById("map-tip-picture");
              return {
                shown: getComputedStyle(tip).display !== "none",
                id: document.getElementById("map-tip-id").textContent,
                text: document.getElementById("map-tip-text").textContent,
                width: picture.naturalWidth,
                children: tip.childElementCount,
              };
            })()"""
        )
    )


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["two_classes", "four_classes", "paper"])
def test_page_loads_without_error_alert_request_or_sideways_scroll(
    browser, request, name, scheme, size
):
    folder = request.getfixturevalue(name)
    page = getattr(folder, "path", folder) / "report.html"
    browser.open(page, size, {"prefers-color-scheme": scheme})
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert browser.seen("Runtime.exceptionThrown", "Page.javascriptDialogOpening") == []
    assert browser.seen("Log.entryAdded", "Runtime.consoleAPICalled") == []
    requests = [event["request"]["url"] for event in browser.seen("Network.requestWillBeSent")]
    assert [url for url in requests if not url.startswith(("data:", "file:"))] == []
    assert sum(url.startswith("file:") for url in requests) == 1
    broken = "[...document.images].filter(i => i.src && !i.naturalWidth).length"
    assert browser.run(broken) == 0
    assert browser.run("document.images.length") > 10
    assert browser.run("document.documentElement.scrollWidth") <= size[0]
    outside = """[...document.querySelectorAll("main *")].filter(e =>
      !e.closest(".scroll, svg") && e.getBoundingClientRect().right > innerWidth + 1
    ).map(e => e.outerHTML.slice(0, 80))"""
    assert browser.run(outside) == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize(
    "part",
    [
        ".claims",
        "#results ~ .forest",
        ".scores",
        ".plots.wide .plot",
        ".forest.differences",
        ".method .plot",
        ".method .confusion",
        ".gallery.hard img",
        ".forest.bars",
        ".gallery.looked .pair",
    ],
)
def test_part_of_the_paper_s_page_is_drawn_and_not_blank(browser, paper, part, size):
    browser.open(paper / "report.html", size, {"prefers-color-scheme": "light"})
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    box = browser.run(
        f"(b => [b.left + scrollX, b.top + scrollY, b.width, b.height])"
        f"(document.querySelector({part!r}).getBoundingClientRect())"
    )
    x, y, width, height = box
    assert width > 40
    assert height > 40
    clip = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
    shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("L"), float)
    assert pixels.std() > 5  # a blank part, or one of a single colour, has none


def test_night_colours_apply_to_text_and_figures(browser, two_classes):
    def colours() -> list[str]:
        return list(
            browser.run(
                """[document.body, document.querySelector(".plot text"),
                    document.querySelector(".point path")].map(
                  e => getComputedStyle(e)[e === document.body ? "backgroundColor" : "fill"])"""
            )
        )

    page = two_classes.path / "report.html"
    browser.open(page, DESKTOP, {"prefers-color-scheme": "light"})
    day = colours()
    browser.open(page, DESKTOP, {"prefers-color-scheme": "dark"})
    night = colours()
    assert all(a != b for a, b in zip(day, night, strict=True))
    assert day[0] == "rgb(251, 251, 249)"
    assert night[0] == "rgb(18, 23, 26)"


def test_pointing_at_a_case_shows_its_picture_and_leaving_hides_it(browser, two_classes):
    browser.open(two_classes.path / "report.html", DESKTOP)
    cases = json.loads(browser.run("document.getElementById('map-cases').textContent"))
    assert browser.run("document.querySelectorAll('.point').length") == len(cases)
    assert not tip(browser)["shown"]
    for place in (0, len(cases) // 2, len(cases) - 1):
        x, y = centre_of(browser, ".point", place)
        browser.mouse("mouseMoved", x, y)
        browser.wait_for("document.getElementById('map-tip-picture').complete")
        found = tip(browser)
        assert found["shown"]
        assert found["id"] == cases[place]["id"]
        assert found["text"] == f"{cases[place]['label']} · {cases[place]['part']}"
        assert found["width"] > 20
    browser.mouse("mouseMoved", 2, 2)
    browser.wait_for("document.getElementById('map-tip').hidden")


def test_hostile_id_is_shown_as_text_by_the_arrow_keys(browser, two_classes):
    browser.open(two_classes.path / "report.html", DESKTOP)
    browser.run("document.getElementById('map-plot').focus()")
    total = browser.run("document.querySelectorAll('.point').length")
    seen = set()
    for _ in range(total):
        browser.key("ArrowRight")
        found = tip(browser)
        assert found["children"] == 3
        seen.add(found["id"])
    assert seen == set(two_classes.case_ids)
    assert set(two_classes.hostile_ids) <= seen
    browser.key("Escape")
    assert not tip(browser)["shown"]
    assert browser.seen("Runtime.exceptionThrown", "Page.javascriptDialogOpening") == []


def test_tap_on_a_phone_shows_the_picture_inside_the_window(browser, four_classes):
    browser.open(four_classes.path / "report.html", PHONE)
    x, y = centre_of(browser, ".point.test", 3)
    touch = [{"x": x, "y": y}]
    browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=touch)
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    browser.wait_for("!document.getElementById('map-tip').hidden")
    box = browser.run(
        "(b => [b.left, b.right])(document.getElementById('map-tip').getBoundingClientRect())"
    )
    assert box[0] >= 0
    assert box[1] <= PHONE[0]
    assert tip(browser)["id"] in four_classes.case_ids


def test_printing_opens_every_fold_and_closes_it_again(browser, two_classes):
    browser.open(two_classes.path / "report.html", DESKTOP)
    closed = "document.querySelectorAll('details:not([open])').length"
    before = browser.run(closed)
    assert before > 0
    browser.run(f"addEventListener('beforeprint', () => {{ window.closedInPrint = {closed}; }})")
    printed = browser.call("Page.printToPDF", printBackground=True)
    assert len(printed["data"]) > 50_000
    assert browser.run("window.closedInPrint") == 0
    assert browser.run(closed) == before


def test_policy_of_the_page_stops_script_that_found_a_way_in(browser, two_classes):
    browser.open(two_classes.path / "report.html", DESKTOP)
    browser.run(
        """document.body.insertAdjacentHTML(
          "beforeend", "<img src='data:,' onerror='window.hacked = 1'>")"""
    )
    browser.run(
        """(() => { const s = document.createElement("script");
          s.textContent = "window.hacked = 2"; document.body.append(s); })()"""
    )
    browser.wait_for("document.images[document.images.length - 1].complete")
    assert browser.run("window.hacked") is None
    blocked = [e["entry"]["text"] for e in browser.seen("Log.entryAdded")]
    assert sum("Content Security Policy" in text for text in blocked) >= 1
