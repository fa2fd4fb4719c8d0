"""The page of an analysis: what it holds, what it escapes, and how small it is."""

import base64
import hashlib
import json
import re
import time
import zlib
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from ecg_sklearn.analysis import _page
from ecg_sklearn.analysis._disclosure import embed
from ecg_sklearn.analysis._page import write_page
from ecg_sklearn.analysis._strips import SECONDS, make_mean_beats, make_strips
from ecg_sklearn.analysis._words import Clock, duration, share
from tests.analysis.build import START, counted, simulated

SECTIONS = (
    "findings", "time", "strips", "beats", "events", "disclosure", "numbers", "method",
)  # fmt: skip
PATTERNS = [(10, "V"), (25, "VV"), (40, "VVVVV"), (60, "S"), (75, "SSSS"), (90, "F"),
            (105, "N--N"), (120, "VNVNVN")]  # fmt: skip


@pytest.fixture(scope="module")
def analysis():
    return simulated(
        240, events=PATTERNS, unreadable=[(150, 170, "gap"), (200, 210, "noise")],
        random_state=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(analysis, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    assert write_page(analysis, str(path)) == path
    return path.read_text(encoding="utf-8")


def written(analysis, folder):
    return write_page(analysis, folder / "page.html").read_text(encoding="utf-8")


class Outline(HTMLParser):
    """Elements, their ids and attributes, and every address."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.tags, self.addresses, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append((tag, values))
        if "id" in values:
            self.ids.append(values["id"])
        self.addresses += [values[n] for n in ("src", "href", "action") if n in values]


def unpack(text, count, width):
    """Decode what the scripts decode."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    planes = planes.reshape(width, count).astype(np.int64)
    coded = sum(plane << (8 * k) for k, plane in enumerate(planes))
    return np.cumsum((coded >> 1) ^ -(coded & 1))


def test_sections_numbers_and_events(page, analysis):
    outline = Outline(page)
    assert [name for name in outline.ids if name in SECTIONS] == list(SECTIONS)
    assert len(outline.ids) == len(set(outline.ids))
    head = page.split("</h2>")[0] + page.split('class="cards"')[1]
    for text in ("simulated", "2026-03-01 21:30:00", "4 min", "Not a medical device"):
        assert text in head
    n_beats, n_veb = len(analysis.beats), (analysis.beats["class"] == "V").sum()
    for number in (n_beats, n_veb, "87.5"):
        assert f"<b>{number}</b>" in page
    rows = page.split('id="event-table"')[1].split("</table>")[0].count("<tr>")
    assert rows == len(analysis.events) + 1
    for name in analysis.summary.index:
        assert f"<td>{name}</td>" in page
    assert "no beats can be told from the noise" in page
    assert "ST segment" in page


def test_nothing_is_loaded_and_one_script_may_run(page):
    outline = Outline(page)
    assert {a for a in outline.addresses if not a.startswith("#")} == {"data:,"}
    assert not re.search(
        r"\son\w+=", re.sub(r"<script.*?</script>", "", page, flags=16)
    )
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_every_figure_has_words(page):
    outline = Outline(page)
    images = [values for _, values in outline.tags if values.get("role") == "img"]
    assert len(images) > 12
    missing = [values for values in images if not values.get("aria-label")]
    assert missing == [{"role": "img"}]  # the strip, which its script names


def test_text_is_escaped(tmp_path):
    name = "</script><script>alert('x')</script>"
    analysis = simulated(60, events=[(9, "V")], name=name, random_state=0)
    analysis.model.update(name="<b>m", description="<i>d")
    gaps = analysis.unreadable
    gaps.loc[0] = [1.0, 3.0, "<u>lost</script>"]
    page = written(analysis, tmp_path)
    assert "&lt;/script&gt;&lt;script&gt;alert(&#39;x&#39;)" in page
    assert "&lt;was&gt; found &amp; counted" in page
    assert "It knows &lt;everything&gt;" in page
    for raw in ("<script>alert", "<was>", "<b>m", "<i>d", "<u>lost"):
        assert raw not in page
    assert page.count("</script>") == 5
    data = re.search(r'id="page-data">(.*?)</script>', page)[1]
    assert json.loads(data)["unreadable"] == [[1.0, 3.0, "<u>lost</script>"]]


@pytest.mark.parametrize("start", [None, START])
def test_a_recording_without_events_and_one_without_beats(tmp_path, start):
    analysis = simulated(60, start=start, random_state=0)
    page = written(analysis, tmp_path)
    assert "No event was found." in page
    assert "No ectopic beat was found." in page
    assert ("counted from the start" in page) == (start is None)
    assert "Without events" in page

    bare = counted(analysis.recording, [], [], analysis.unreadable)
    page = written(bare, tmp_path)
    assert page.count("There is no beat to show.") == 2
    assert "too few beats" in page


def test_a_recording_of_five_seconds_and_one_of_gaps(tmp_path):
    short = simulated(5, events=[(1, "V")], random_state=1)
    assert "Ectopic beats in each 10 s" in written(short, tmp_path)
    assert make_strips(short, Clock(None, 5.0))

    lost = simulated(60, unreadable=[(0, 60, "gap")], random_state=0)
    assert not len(lost.beats)
    assert "nothing was recorded" in written(lost, tmp_path)


@pytest.mark.parametrize(("rate", "factor"), [(250, 1), (360, 2), (1000, 4), (64.0, 1)])
def test_the_embedded_signal_is_the_signal(rate, factor):
    analysis = simulated(
        150, sampling_rate=rate, noise=0.0, unreadable=[(50, 60, "gap")], random_state=0
    )
    found = embed(analysis)
    lead = analysis.recording.signal[::factor, 0]
    assert found["rate"] == rate / factor
    assert found["n_samples"] == len(lead)
    values = found["step"] * unpack(found["signal"], len(lead), 2)
    known = np.isfinite(lead)
    far = np.abs(values - lead)[known]
    assert np.median(far) <= 0.51 * found["step"]
    # At one factor the rounding alone; behind the low-pass filter the peaks stay.
    assert far.max() <= (0.51 * found["step"] if factor == 1 else 0.12)
    edges = np.flatnonzero(np.diff(~known, prepend=False, append=False))
    assert found["gaps"] == edges.tolist()

    beats = analysis.beats
    times = unpack(found["beats"], found["n_beats"], 4)
    np.testing.assert_allclose(times, 1000 * beats["time"], atol=0.5)
    classes = unpack(found["classes"], found["n_beats"], 1)
    np.testing.assert_array_equal(classes < 8, beats["sure"])


def test_a_recording_that_does_not_fit_keeps_the_minutes_of_rare_events(tmp_path):
    analysis = simulated(
        1800, events=[(605, "VVVV"), (1205, "S"), (1265, "S")], random_state=0
    )
    whole = embed(analysis)
    assert whole["lines"] is None
    assert whole["n_lines"] == 30
    found = embed(analysis, most=60_000)
    assert len(found["signal"]) <= 60_000
    assert {10, 20, 21} < set(found["lines"])
    assert 4 < len(found["lines"]) < 30
    bounds = np.rint(np.arange(31) * 60 * found["rate"])
    assert found["n_samples"] == sum(np.diff(bounds)[found["lines"]])
    kept = np.isin(analysis.beats["time"] // 60, found["lines"])
    assert found["n_beats"] == kept.sum()


def test_a_step_of_the_signal_that_is_no_ecg():
    analysis = simulated(30, random_state=0)
    lead = analysis.recording.signal[:, 0]
    lead[2000:4000] += 1e4
    found = embed(analysis)
    values = unpack(found["signal"], found["n_samples"], 2)
    assert np.abs(np.diff(values)).max() < 2**15


def test_many_events_leave_the_commonest_out(analysis, tmp_path, monkeypatch):
    counts = analysis.events["kind"].value_counts()
    monkeypatch.setattr(_page, "MOST_EVENTS", len(analysis.events) - 2)
    page = written(analysis, tmp_path)
    assert "2 more events are not in this table" in page
    table = page.split('id="event-table"')[1].split("</table>")[0]
    commonest = counts.index[0]
    shown = re.findall(r'class="text">([^<]+)<td>', table)
    assert shown.count(commonest) == counts.iloc[0] - 2
    assert len(shown) == len(analysis.events) - 2


def test_strips_are_true_to_scale_and_show_each_kind(analysis, page):
    strips = make_strips(analysis, Clock(START, 240.0))
    titles = [strip["title"] for strip in strips]
    expected = {"Without events", "Single ventricular beat", "Ventricular run", "Pause"}
    expected |= {"Supraventricular run", "Fusion beat", "Fastest heart rate"}
    assert expected <= set(titles)
    run = strips[titles.index("Ventricular run")]
    assert "".join(b["name"] for b in run["labels"]).count("VVVVV") == 1
    places = [b["x"] for b in run["labels"] if b["name"] == "V"]
    event = analysis.events[analysis.events["kind"] == "VEB run"].iloc[0]
    assert np.ptp(places) == pytest.approx(
        25 * (event["end"] - event["start"]), abs=0.01
    )
    quiet = strips[titles.index("Without events")]
    assert {b["name"] for b in quiet["labels"]} == {"N"}
    assert run["width"] == 10 + 25 * SECONDS
    assert page.count(f'width="{run["width"]}mm"') == len(strips)
    assert "h1.5v-10h5v10h1.5" in page  # 1 mV and 0.2 s


def test_a_strip_at_a_high_rate_keeps_the_peaks():
    found = []
    for rate in (250, 1000):
        analysis = simulated(
            20, sampling_rate=rate, noise=0.0, wander=0.0, random_state=0
        )
        strip = make_strips(analysis, Clock(None, 20.0))[0]
        points = np.array(re.findall(r"[-\d.e]+", strip["trace"]), float).reshape(-1, 2)
        assert len(points) <= 260 * SECONDS
        found.append(points[:, 1].min() - strip["above"])
    assert found[0] == pytest.approx(found[1], abs=0.2)


def test_mean_beats(analysis):
    found = make_mean_beats(analysis)
    assert [beat["name"] for beat in found] == ["N", "S", "V", "F"]
    counts = analysis.beats["class"].value_counts()
    assert [beat["count"] for beat in found] == [counts[b["name"]] for b in found]


def test_words():
    clock = Clock(datetime(2026, 3, 1, 23, 59, 30), 3600.0)
    assert clock(0) == "23:59:30"
    assert clock(45.0) == "00:00:15"
    assert clock(np.nan) == "–"
    assert clock.offset == 86370
    long = Clock(datetime(2026, 3, 1, 12), 2 * 86400.0)
    assert long(86400) == "day 2 12:00:00"
    assert long.tick(43200, "%H:%M") == "day 2"
    assert long.tick(46800, "%H:%M") == "01:00"
    assert Clock(None, 9e4)(90061) == "25:01:01"
    assert [duration(t) for t in (2.5, 90, 86400, 8 * 86400, np.nan)] == [
        "2.5 s", "1 min 30 s", "24 h", "8 d", "–",
    ]  # fmt: skip
    assert [share(v) for v in (0, 0.001, 0.25, 12.34, 99.99, 100)] == [
        "0", "< 0.01", "0.25", "12.3", "> 99.9", "100",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_day_fits_into_8_mb(tmp_path):
    ectopy = {"V": 0.05, "VV": 0.01, "S": 0.05, "VNVNVN": 0.05}
    analysis = simulated(
        86400, heart_rate=95, ectopy=ectopy, muscle=0.05, noise=0.03, random_state=0
    )
    start = time.perf_counter()
    path = write_page(analysis, tmp_path / "day.html")
    assert time.perf_counter() - start < 30
    assert 3e6 < path.stat().st_size < 8e6
