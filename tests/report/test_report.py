"""The HTML report: what it holds, what it escapes, how it behaves in a browser."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from ecg_sklearn import cli
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.pipeline import make_ecg_pipeline
from ecg_sklearn.preprocessing import SpectrogramTransformer
from ecg_sklearn.report import make_report

SECTIONS = ("data", "pipeline", "training", "classes", "ec57", "records", "mistakes")


@pytest.fixture(scope="module")
def fitted():
    train = make_heartbeats(300, n_records=4, random_state=0)
    pipe = make_ecg_pipeline(filters=(8,), dense_units=8, epochs=2, random_state=0)
    return pipe.fit(train.data, train.target)


@pytest.fixture(scope="module")
def test_beats():
    beats = make_heartbeats(200, n_records=4, random_state=1)
    return beats


@pytest.fixture(scope="module")
def page(fitted, test_beats, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    found = make_report(
        fitted, test_beats, path, training_groups=["sim00", "sim01"], n_resamples=50
    )
    assert found == path
    return path


class _Outline(HTMLParser):
    """Ids, images, and every address that a browser would ask for."""

    def __init__(self):
        super().__init__()
        self.ids, self.images, self.addresses = [], [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.append(values.get("id"))
        if tag == "img":
            self.images.append(values)
        fetched = {"img": "src", "script": "src", "link": "href", "iframe": "src"}
        if tag in fetched and values.get(fetched[tag]):
            self.addresses.append(values[fetched[tag]])


def outline(path):
    parser = _Outline()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def test_sections_and_alternative_texts(page):
    found = outline(page)
    assert set(SECTIONS) <= set(found.ids)
    assert len(found.images) >= 5
    assert any("calibration error" in image["alt"] for image in found.images)
    assert all(len(image["alt"]) > 10 for image in found.images)


def test_nothing_is_fetched(page):
    assert all(address.startswith("data:") for address in outline(page).addresses)
    assert "@import" not in page.read_text(encoding="utf-8")
    assert not re.search(r"url\(\s*['\"]?http", page.read_text(encoding="utf-8"))


def test_numbers_are_those_of_the_pipeline(page, fitted, test_beats):
    text = page.read_text(encoding="utf-8")
    accuracy = fitted.score(test_beats.data, test_beats.target)
    assert f"<b>{accuracy:.4f}</b>accuracy" in text
    assert "whole records" in text
    assert "No record and no subject is in both" in text
    assert "not a medical device" in text.lower()


def test_patients_on_both_sides_are_named(fitted, test_beats, tmp_path):
    path = make_report(
        fitted,
        test_beats,
        tmp_path / "leak.html",
        training_groups=[test_beats.groups[0], "other"],
        n_resamples=20,
    )
    text = path.read_text(encoding="utf-8")
    assert test_beats.groups[0] in text.split('id="data"')[1].split('id="pipeline"')[0]
    assert "memory" in text


def test_unknown_records(fitted, test_beats, tmp_path):
    bare = Bunch(data=test_beats.data, target=test_beats.target)
    path = make_report(fitted, bare, tmp_path / "bare.html", n_resamples=20)
    text = path.read_text(encoding="utf-8")
    assert "The records of these beats were not given" in text
    assert "too narrow" in text
    assert 'id="records"' not in text


def test_text_from_outside_is_escaped(fitted, test_beats, tmp_path):
    evil = "<script>alert(1)</script>"
    beats = Bunch(**test_beats)
    beats.groups = np.where(beats.groups == beats.groups[0], evil, beats.groups)
    beats.DESCR = evil
    path = make_report(
        fitted, beats, tmp_path / "evil.html", title=evil, training_note=evil,
        training_groups=[evil], n_resamples=20,
    )  # fmt: skip
    text = path.read_text(encoding="utf-8")
    assert evil not in text
    assert text.count("&lt;script&gt;alert(1)") >= 4


def test_labels_that_are_strings_and_no_aami_classes(tmp_path):
    beats = make_heartbeats(150, n_records=3, random_state=0)
    beats.target = np.where(beats.target < 2, "narrow", "wide")
    pipe = make_ecg_pipeline(filters=(8,), epochs=1).fit(beats.data, beats.target)
    path = make_report(pipe, beats, tmp_path / "two.html", n_resamples=20)
    text = path.read_text(encoding="utf-8")
    assert ">wide</td>" in text
    assert 'id="ec57"' not in text


def test_errors(fitted, test_beats, tmp_path):
    unlabelled = Bunch(data=test_beats.data, target=None)
    with pytest.raises(ValueError, match="have no target"):
        make_report(fitted, unlabelled, tmp_path / "a.html")
    foreign = Bunch(data=test_beats.data, target=test_beats.target + 4)
    with pytest.raises(ValueError, match=r"labels \[5, 6, 7, 8\] that the pipeline"):
        make_report(fitted, foreign, tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


def section(path, name):
    """Text of a section, its tags and the data of its images included."""
    return (
        path.read_text(encoding="utf-8").split(f'<h2 id="{name}">')[1].split("<h2")[0]
    )


def test_records_stand_with_wilson_intervals_the_worst_first(tmp_path):
    beats = make_heartbeats(60, n_records=3, random_state=0)
    # 20 beats each, of which 15, 20 and 10 are right.
    beats.groups = np.repeat(["a", "b", "c"], 20)
    beats.target = np.zeros(60, dtype=int)
    wrong = np.r_[0:5, 40:50]
    pipe = LogisticRegression().fit(beats.data, np.arange(60) % 2)
    beats.data = np.zeros_like(beats.data)
    beats.data[wrong] = pipe.coef_[0] * 1e6
    pipe.intercept_[:] = -1
    path = make_report(pipe, beats, tmp_path / "a.html", n_resamples=20, n_mistakes=0)
    text = section(path, "records")
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in text.split("<tr>")[2:]]
    # Newcombe (1998): 15 of 20 lie in 0.531 to 0.888, 10 of 20 in 0.299 to 0.701.
    assert [row[:3] for row in rows] == [
        ["c", "20", "0.500 (0.30 to 0.70)"],
        ["a", "20", "0.750 (0.53 to 0.89)"],
        ["b", "20", "1.000 (0.84 to 1.00)"],
    ]
    assert re.findall(r'data-key="(0\.75|0\.5|1\.0)">\1\d+ \(', text)
    assert "Wilson interval over the beats" in text


    train = make_heartbeats(300, n_records=4, random_state=0)
    pipe = GaussianNB().fit(train.data, train.target)
    predicted = pipe.predict(test_beats.data)
    # Two classes have beats and are predicted; the other three do neither.
    kept = np.isin(test_beats.target, (0, 2)) & np.isin(predicted, (0, 2))
    few = Bunch(data=test_beats.data[kept], target=test_beats.target[kept])
    assert report.labels == (0, 2)
    assert len(pipe.classes_) == 5
    assert 0.5 < report.macro_f1 < 1
    path = make_report(pipe, few, tmp_path / "two.html", n_resamples=20)
    text = path.read_text(encoding="utf-8")
    assert f"<b>{report.macro_f1:.4f}</b>macro-F1" in text


def test_a_search_gives_its_best_pipeline(test_beats, tmp_path):
    train = make_heartbeats(300, n_records=4, random_state=0)
    pipe = make_ecg_pipeline(filters=(8,), dense_units=8, random_state=0)
    grid = {"cnn__epochs": [1, 2]}
    search = GridSearchCV(pipe, grid, cv=2).fit(train.data, train.target)
    path = make_report(search, test_beats, tmp_path / "a.html", n_resamples=20)
    accuracy = search.score(test_beats.data, test_beats.target)
    text = path.read_text(encoding="utf-8")
    assert f"<b>{accuracy:.4f}</b>accuracy" in text
    assert set(SECTIONS) <= set(outline(path).ids)
    assert "Grad-CAM" in section(path, "mistakes")
    best = search.best_params_["cnn__epochs"]
    assert "GridSearchCV among 2 settings" in text
    assert f"cnn__epochs={best}." in text


def test_a_classifier_behind_flat_spectrograms(test_beats, tmp_path):
    train = make_heartbeats(300, n_records=4, random_state=0)
    boosting = HistGradientBoostingClassifier(max_iter=2, random_state=0)
    pipe = make_pipeline(SpectrogramTransformer(flatten=True), boosting)
    pipe.fit(train.data, train.target)
    path = make_report(
        pipe, test_beats, tmp_path / "a.html", n_resamples=20, n_mistakes=2
    )
    assert 'id="training"' not in path.read_text(encoding="utf-8")
    mistakes = section(path, "mistakes")
    assert "occlusion" in mistakes
    assert mistakes.count("<img") == 2
    assert "HistGradientBoostingClassifier" in section(path, "card")


@pytest.mark.parametrize("as_frame", [False, True])
def test_a_classifier_of_bare_samples(as_frame, test_beats, tmp_path):
    train = make_heartbeats(300, n_records=4, random_state=0)
    beats = Bunch(**test_beats)
    if as_frame:
        import pandas as pd

        columns = [f"sample {number}" for number in range(train.data.shape[1])]
        train.data, beats.data = (
            pd.DataFrame(data, columns=columns) for data in (train.data, beats.data)
        )
    pipe = LogisticRegression(C=1e-4).fit(train.data, train.target)
    path = make_report(pipe, beats, tmp_path / "a.html", n_resamples=20, n_mistakes=2)
    mistakes = section(path, "mistakes")
    assert mistakes.count("<img") == 2
    assert "the beats themselves" in mistakes
    assert "Grad-CAM" not in mistakes


def test_what_no_report_can_be_made_of(test_beats, tmp_path):
    path, train = tmp_path / "a.html", make_heartbeats(60, random_state=0)
    with pytest.raises(NotFittedError):
        make_report(LogisticRegression(), test_beats, path)
    sharp = Perceptron().fit(train.data, train.target)
    with pytest.raises(ValueError, match="Perceptron has no predict_proba"):
        make_report(sharp, test_beats, path)
    search = GridSearchCV(Perceptron(), {"eta0": [1, 2]}, refit=False, cv=2)
    search.fit(train.data, train.target % 2)
    with pytest.raises(ValueError, match="GridSearchCV was fitted with refit=False"):
        make_report(search, test_beats, path)
    assert not path.exists()


def test_the_command(tmp_path, capsys):
    run = tmp_path / "run"
    fast = ["--epochs", "1", "--param", "cnn__filters=(8,)", "--quiet"]
    train = ["train", "--data", "simulated", "--protocol", "inter-patient", *fast]
    assert cli.main([*train, "--output", str(run)]) == 0
    page = tmp_path / "page.html"
    command = ["report", str(run / "model.ecgsk"), "--data", "simulated"]
    command += ["--output", str(page), "--resamples", "20"]
    assert cli.main(command) == 0
    text = page.read_text(encoding="utf-8")
    assert "No record and no subject is in both" in text
    assert "simulated beats" in text
    assert cli.main(command) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.slow
def test_in_a_browser(page, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs Chromium, to look for errors and to sort a table")
    # Clicks the second heading of the last table, and writes what it finds into the
    # title; an error in any script is written there too.
    probe = """<script>
    window.addEventListener("error", (e) => { document.title = "ERROR " + e.message; });
    window.addEventListener("load", () => {
      const table = [...document.querySelectorAll("table.sortable")].at(-1);
      const keys = () => [...table.tBodies[0].rows].map((r) => +r.cells[1].dataset.key);
      table.tHead.rows[0].cells[1].querySelector("button").click();
      const down = keys();
      table.tHead.rows[0].cells[1].querySelector("button").click();
      const up = keys();
      const width = document.documentElement.scrollWidth <= window.innerWidth;
      document.body.dataset.found = JSON.stringify({down, up, width});
    });</script>"""
    probed = tmp_path / "probed.html"
    html = page.read_text(encoding="utf-8")
    probed.write_text(html.replace("<head>", "<head>" + probe, 1), encoding="utf-8")
    for width in (390, 1200):
        result = subprocess.run(
            [
                chromium, "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--no-first-run", "--enable-logging=stderr",
                f"--user-data-dir={tmp_path / str(width)}",
                f"--window-size={width},900", "--dump-dom", probed.as_uri(),
            ],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        found = re.search(r'data-found="(.*?)"', result.stdout).group(1)
        found = found.replace("&quot;", '"')
        assert "<title>Heartbeat classification</title>" in result.stdout
        assert '"width":true' in found
        down = [int(n) for n in re.search(r'"down":\[(.*?)\]', found)[1].split(",")]
        assert down == sorted(down, reverse=True)
        assert f'"up":{sorted(down)}'.replace(" ", "") in found
        messages = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
        # scikit-learn 1.9's diagram remarks on its own copy buttons.
        assert [m for m in messages if "copy-paste icon" not in m] == []
