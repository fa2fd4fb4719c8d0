"""The page of an analysis in Chromium: clicks, keys, widths, print, no errors."""

import re

import pytest

from ecg_sklearn.analysis import _page
from ecg_sklearn.analysis._page import write_page
from tests.analysis.browser import open_browser
from tests.analysis.build import counted, simulated

EVENTS = [(10, "V"), (25, "VV"), (40, "VVVVV"), (60, "S"), (90, "S"), (130, "N--N")]
FOCUS = "return document.activeElement.closest('tr')?.rowIndex"
TITLE = "return document.querySelector('#dock-title').textContent"
IS_OPEN = "return !document.querySelector('#dock').hidden"
CURSOR = "return document.querySelector('#cursor').textContent"
INK = """const canvas = document.querySelector(arguments[0]);
    const pen = canvas.getContext('2d');
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    analysis = simulated(
        400, events=EVENTS, unreadable=[(200, 260, "gap")], random_state=0,
        name="a_long_name_without_any_space_" * 4,
    )  # fmt: skip
    return write_page(analysis, tmp_path_factory.mktemp("page") / "page.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_window_and_reports_no_error(browser, path, width, scheme):
    assert browser.open(path, width, scheme=scheme) == "yes"
    assert browser.run("return document.documentElement.scrollWidth") == width
    assert browser.run(INK, "#lines canvas") > 5
    browser.click("#event-table tbody tr")
    assert browser.run("return document.documentElement.scrollWidth") == width
    assert browser.run(INK, "#dock canvas") > 5
    assert browser.messages() == []


def test_a_click_on_an_event_shows_its_strip(browser, path):
    browser.open(path)
    assert not browser.run(IS_OPEN)
    browser.click("#event-table tbody tr:nth-child(3) td:nth-child(2)")
    assert browser.run(IS_OPEN)
    assert browser.run(TITLE).startswith("VEB run, 21:30:4")
    words = "return document.querySelector('#dock canvas').getAttribute('aria-label')"
    assert "NVVVVVN" in browser.run(words)
    assert (
        browser.run("return document.querySelectorAll('tr[aria-current]').length") == 1
    )
    assert browser.run(CURSOR).startswith("Cursor at 21:30:4")
    assert browser.messages() == []


def test_keys_in_the_table_of_events(browser, path):
    browser.open(path)
    browser.run("document.querySelector('#event-table tbody button').focus()")
    browser.press("ArrowDown", "ArrowDown")
    assert browser.run(FOCUS) == 3
    assert not browser.run(IS_OPEN)
    browser.press("Enter")
    assert browser.run(TITLE).startswith("VEB run")
    browser.press("ArrowUp")
    assert browser.run(FOCUS) == 2
    assert browser.run(TITLE).startswith("VEB couplet")
    browser.press("ArrowRight", "+")
    assert "50 mm/s" in browser.run(TITLE)
    browser.press("-", "-")
    assert "12.5 mm/s" in browser.run(TITLE)
    browser.press("Escape")
    assert not browser.run(IS_OPEN)
    assert browser.run(FOCUS) == 2
    assert browser.messages() == []


def test_sort_and_filter(browser, path):
    browser.open(path)
    kinds = """return Array.from(document.querySelectorAll('#event-table tbody tr'))
        .filter((row) => !row.hidden).map((row) => row.cells[1].textContent)"""
    before = browser.run(kinds)
    assert before == ["VEB", "VEB couplet", "VEB run", "SVEB", "SVEB", "pause"]
    browser.click("#event-table th:nth-child(2) button")
    assert browser.run(kinds) == sorted(before)
    browser.click("#event-table th:nth-child(3) button")
    browser.click("#event-table th:nth-child(3) button")
    assert browser.run(kinds)[0] == "VEB run"
    states = """return Array.from(document.querySelectorAll('#event-table th'))
        .map((head) => head.getAttribute('aria-sort'))"""
    assert browser.run(states) == [None, None, "descending", None, None]
    browser.run(
        """const kind = document.querySelector('#kind'); kind.value = 'SVEB';
           kind.dispatchEvent(new Event('change'))"""
    )
    assert browser.run(kinds) == ["SVEB", "SVEB"]
    shown = "return document.querySelector('#shown').textContent"
    assert browser.run(shown) == "2 shown"
    reachable = "#event-table tbody tr:not([hidden]) button[tabindex='0']"
    assert browser.run(f'return document.querySelectorAll("{reachable}").length') == 1


def test_keys_and_clicks_in_the_full_disclosure(browser, path):
    browser.open(path)
    browser.run("document.querySelector('#lines').focus()")
    browser.press("ArrowDown", "ArrowRight")
    assert browser.run(CURSOR) == "Cursor at 21:31:02"
    browser.press("+", "Enter")
    assert "21:31:02" in browser.run(TITLE)
    browser.press("ArrowDown", "ArrowDown", "ArrowDown")
    assert "21:34:02" in browser.run(TITLE)
    assert browser.run(INK, "#dock canvas") > 5
    browser.press("Escape")
    assert not browser.run(IS_OPEN)
    browser.click("#lines")
    assert browser.run(IS_OPEN)
    assert browser.messages() == []


def test_a_number_leads_to_its_place(browser, path):
    browser.open(path)
    browser.click(".card .go")
    assert browser.run(IS_OPEN)
    browser.click("#dock [data-gain]")
    assert "20 mm/mV" in browser.run(TITLE)
    browser.click("#dock [data-close]")
    assert not browser.run(IS_OPEN)
    assert browser.run("return document.activeElement.className") == "go"


@pytest.mark.parametrize(("width", "height"), [(8.27, 11.69), (8.5, 11)])
def test_print(browser, path, width, height):
    browser.open(path)
    printed = browser.pdf(paperWidth=width, paperHeight=height, preferCSSPageSize=False)
    n_pages = len(re.findall(rb"/Type /Page\b", printed))
    assert 4 <= n_pages <= 12
    browser.devtools("Emulation.setEmulatedMedia", media="print")
    sizes = browser.run(
        """return [...document.querySelectorAll('.strip > svg')].map(
               (svg) => svg.getBoundingClientRect().width * 25.4 / 96)"""
    )
    browser.devtools("Emulation.setEmulatedMedia", media="")
    assert sizes == pytest.approx([185.0] * len(sizes), abs=0.1)
    assert max(sizes) < 25.4 * width - 24  # between the margins


@pytest.mark.parametrize("duration", [5, 90])
def test_little_to_show(browser, tmp_path, duration):
    full = simulated(duration, start=None, random_state=0)
    bare = counted(full.recording, [], [], full.unreadable)
    for analysis in (full, bare):
        path = write_page(analysis, tmp_path / "page.html")
        assert browser.open(path) == "yes"
        browser.run("document.querySelector('#lines').focus()")
        browser.press("Enter", "ArrowRight", "ArrowDown", "+", "-", "Escape")
        assert browser.messages() == []


def test_an_old_browser_says_what_is_missing(browser, path):
    script = browser.devtools(
        "Page.addScriptToEvaluateOnNewDocument",
        source="delete window.DecompressionStream",
    )
    assert browser.open(path) == "no signal"
    note = "return document.querySelector('#signal-note').textContent"
    assert "cannot unpack the signal" in browser.run(note)
    browser.click("#event-table tbody tr")
    assert browser.messages() == []
    browser.devtools("Page.removeScriptToEvaluateOnNewDocument", **script)


def test_minutes_that_are_not_embedded(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(_page, "SIGNAL_BYTES", 60_000)
    analysis = simulated(1800, events=[(605, "VVVV"), (1205, "S")], random_state=0)
    path = write_page(analysis, tmp_path / "page.html")
    assert "minutes are not" in path.read_text()
    assert browser.open(path) == "yes"
    browser.click("#event-table tbody tr")
    words = "return document.querySelector('#dock canvas').getAttribute('aria-label')"
    assert "NVVVVN" in browser.run(words)
    browser.run("document.querySelector('#lines').focus()")
    browser.press(*["ArrowDown"] * 12)
    assert browser.messages() == []


def test_an_error_would_be_seen(browser, path):
    browser.open(path)
    browser.run("setTimeout(() => { throw new Error('made up') })")
    browser.run("return new Promise((done) => setTimeout(done, 50))")
    assert any("made up" in message for message in browser.messages())
