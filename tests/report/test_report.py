"""The HTML report: what it holds, what it escapes, how it behaves in a browser."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.pipeline import make_ecg_pipeline
from ecg_sklearn.preprocessing import SpectrogramTransformer
from ecg_sklearn.report import make_report

SECTIONS = {"data", "pipeline", "training", "classes", "ec57", "records", "mistakes"}
SMALL = {"filters": (8,), "dense_units": 8, "epochs": 1, "random_state": 0}
FAST = {"n_resamples": 9, "n_mistakes": 0}


@pytest.fixture(scope="module")
def training():
    return make_heartbeats(150, n_records=4, random_state=0)


@pytest.fixture(scope="module")
def fitted(training):
    return make_ecg_pipeline(**SMALL).fit(training.data, training.target)


@pytest.fixture(scope="module")
def logistic(training):
    return LogisticRegression(C=1e-4).fit(training.data, training.target)


@pytest.fixture(scope="module")
def tested():
    return make_heartbeats(100, n_records=4, random_state=1)


@pytest.fixture(scope="module")
def page(fitted, tested, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    found = make_report(fitted, tested, path, training_groups=["a", "b"], n_mistakes=1)
    assert found == path
    return path


def text_of(path):
    return path.read_text(encoding="utf-8")


def section(path, name):
    """Text of a section, its tags and the data of its images included."""
    return text_of(path).split(f'<h2 id="{name}">')[1].split("<h2")[0]


class _Outline(HTMLParser):
    """Ids, images, and every address that a browser would ask for."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.images, self.addresses = [], [], []
        self.feed(text_of(path))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.append(values.get("id"))
        if tag == "img":
            self.images.append(values)
        fetched = {"img": "src", "script": "src", "link": "href", "iframe": "src"}
        if tag in fetched and values.get(fetched[tag]):
            self.addresses.append(values[fetched[tag]])


def test_the_page_is_whole_and_fetches_nothing(page, fitted, tested):
    found, text = _Outline(page), text_of(page)
    assert set(found.ids) >= SECTIONS
    assert len(found.images) >= 5
    assert any("calibration error" in image["alt"] for image in found.images)
    assert all(len(image["alt"]) > 10 for image in found.images)
    assert all(address.startswith("data:") for address in found.addresses)
    assert not re.search(r"@import|url\(\s*['\"]?http", text)
    accuracy = fitted.score(tested.data, tested.target)
    assert f"<b>{accuracy:.4f}</b>accuracy" in text
    assert "whole records" in text
    assert "No record and no subject is in both" in text
    assert "not a medical device" in " ".join(text.lower().split())
    assert "Grad-CAM" in section(page, "mistakes")


def test_patients_on_both_sides_are_named(logistic, tested, tmp_path):
    shared = tested.groups[0]
    path = make_report(
        logistic, tested, tmp_path / "a.html", training_groups=[shared, "b"], **FAST
    )
    assert f"1 of the 4 patients here were trained on: &#39;{shared}&#39;" in text_of(
        path
    )


def test_unknown_records(logistic, tested, tmp_path):
    bare = Bunch(data=tested.data, target=tested.target)
    path = make_report(logistic, bare, tmp_path / "a.html", **FAST)
    assert "The records of these beats are not known" in text_of(path)
    assert "too narrow" in text_of(path)
    assert 'id="records"' not in text_of(path)


def test_text_from_outside_is_escaped(logistic, tested, tmp_path):
    evil = "<script>alert(1)</script>"
    beats = Bunch(**tested)
    beats.groups = np.where(beats.groups == beats.groups[0], evil, beats.groups)
    beats.DESCR = evil
    path = make_report(
        logistic, beats, tmp_path / "a.html", title=evil, training_note=evil,
        training_groups=[evil], **FAST,
    )  # fmt: skip
    assert evil not in text_of(path)
    assert text_of(path).count("&lt;script&gt;alert(1)") >= 5


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        (np.arange(5), "V (ventricular)"),
        (np.arange(5.0), "V (ventricular)"),
        (np.array(list("NSVFQ")), "V (ventricular)"),
        (np.array(["narrow", "narrow", "wide", "wide", "wide"]), "wide"),
        (np.array([10, 10, 30, 30, 30]), "30"),
    ],
)
def test_labels_of_any_kind(labels, shown, training, tested, tmp_path):
    pipe = LogisticRegression(C=1e-4).fit(training.data, labels[training.target])
    beats = Bunch(**tested | {"target": labels[tested.target]})
    path = make_report(pipe, beats, tmp_path / "a.html", **FAST)
    assert f"<td>{shown}</td>" in section(path, "classes")
    assert ('id="ec57"' in text_of(path)) == (shown[0] == "V")
    if shown[0] == "V":  # the loaders' numbers mean the same
        path = make_report(pipe, tested, tmp_path / "b.html", **FAST)
        accuracy = np.mean(pipe.predict(beats.data) == beats.target)
        assert f"<b>{accuracy:.4f}</b>accuracy" in text_of(path)


def test_names_of_other_classes_are_taken_from_the_beats(training, tested, tmp_path):
    pipe = LogisticRegression(C=1e-4).fit(training.data, training.target > 1)
    beats = Bunch(**tested | {"target_names": ["normal", "infarction"]})
    beats.target = (tested.target > 1).astype(int)
    pipe.classes_ = np.array([0, 1])
    path = make_report(pipe, beats, tmp_path / "a.html", **FAST)
    assert "<td>infarction</td>" in section(path, "classes")
    assert 'id="ec57"' not in text_of(path)


def test_records_stand_with_wilson_intervals_the_worst_first(tested, tmp_path):
    beats = Bunch(**make_heartbeats(60, n_records=3, random_state=0))
    # 20 beats each, of which 15, 20 and 10 are right.
    beats.groups = np.repeat(["a", "b", "c"], 20)
    beats.target = np.zeros(60, dtype=int)
    pipe = LogisticRegression().fit(beats.data, np.arange(60) % 2)
    beats.data = np.zeros_like(beats.data)
    beats.data[np.r_[0:5, 40:50]] = pipe.coef_[0] * 1e6
    pipe.intercept_[:] = -1
    path = make_report(pipe, beats, tmp_path / "a.html", n_resamples=20, n_mistakes=0)
    cells = re.findall(r"<td>(.*?)</td>", section(path, "records"))
    # Newcombe (1998): 15 of 20 lie in 0.531 to 0.888, 10 of 20 in 0.299 to 0.701.
    assert [cells[start : start + 3] for start in range(0, len(cells), 7)] == [
        ["c", "20", "0.500 (0.30 to 0.70)"],
        ["a", "20", "0.750 (0.53 to 0.89)"],
        ["b", "20", "1.000 (0.84 to 1.00)"],
    ]
    assert "None are shown" in section(path, "mistakes")


def test_mistakes_are_of_different_kinds_and_records(logistic, tmp_path):
    beats = make_heartbeats(60, n_records=3, form="window", random_state=0)
    beats.groups = np.repeat(["a", "b", "c"], [40, 10, 10])
    beats.data = beats.data[:, :187]
    path = make_report(logistic, beats, tmp_path / "a.html", n_resamples=9)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", section(path, "mistakes"))
    said = [re.match(r"(. \(.*?\) taken for .*?), prob", text)[1] for text in captions]
    records = [re.search(r"Record (.), at \d+\.\d\d s", text)[1] for text in captions]
    assert len(captions) == len(set(said)) == 4
    assert set(records) == {"a", "b", "c"}


def test_a_search_gives_its_best_pipeline(training, tested, tmp_path):
    search = GridSearchCV(LogisticRegression(), {"C": [1e-4, 1e-3]}, cv=2)
    search.fit(training.data, training.target)
    path = make_report(search, tested, tmp_path / "a.html", **FAST)
    accuracy = search.score(tested.data, tested.target)
    assert f"<b>{accuracy:.4f}</b>accuracy" in text_of(path)
    assert "GridSearchCV among 2 settings" in section(path, "card")
    assert f"C={search.best_params_['C']}." in section(path, "card")


class ForeignNetwork(ClassifierMixin, BaseEstimator):
    """A network whose layers have names of their own, and perhaps no map."""

    def __init__(self, convolve=True):
        self.convolve = convolve

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        layers = keras.layers
        inputs = x = layers.Input((*X.shape[1:], 1))
        if self.convolve:
            x = layers.Conv2D(4, 3, padding="same", name="first")(x)
            x = layers.UpSampling2D((1, 2), name="wide")(x)
            x = layers.AveragePooling2D(2, name="second")(x)
        x = layers.Flatten()(x)
        x = layers.Dense(len(self.classes_))(x)
        self.model_ = keras.Model(inputs, layers.Softmax()(x))
        return self

    def predict_proba(self, X):
        return self.model_(X[..., None]).numpy()

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.mark.parametrize(
    ("classifier", "flatten", "said"),
    [
        (ForeignNetwork(), False, "what the network looked at (Grad-CAM)."),
        (ForeignNetwork(convolve=False), False, "ForeignNetwork has no network with"),
        (GaussianNB(), True, "No Grad-CAM: GaussianNB has no network"),
    ],
)
def test_classifiers_behind_spectrograms(
    classifier, flatten, said, training, tested, tmp_path
):
    pipe = make_pipeline(SpectrogramTransformer(flatten=flatten), classifier)
    pipe.fit(training.data, training.target)
    path = make_report(pipe, tested, tmp_path / "a.html", n_resamples=9, n_mistakes=2)
    mistakes = section(path, "mistakes")
    assert said in mistakes
    assert ("occlusion" in mistakes) == (said[-1] != ".")
    assert mistakes.count("<img") == 2
    assert "keeps no history of epochs" in section(path, "training")
    assert type(classifier).__name__ in section(path, "card")


@pytest.mark.parametrize(
    ("pipe", "said"),
    [
        (make_ecg_pipeline(sampler=None, **SMALL), "Grad-CAM"),
        (LogisticRegression(C=1e-4), "the beats themselves"),
    ],
)
def test_features_of_the_beat_are_not_drawn(pipe, said, tmp_path):
    beats = make_heartbeats(60, n_records=3, features=["rr"], random_state=0)
    pipe.fit(beats.data, beats.target)
    path = make_report(pipe, beats, tmp_path / "a.html", n_resamples=9, n_mistakes=1)
    assert said in section(path, "mistakes")


def test_what_no_report_can_be_made_of(fitted, training, tested, tmp_path):
    path = tmp_path / "a.html"
    sharp = Perceptron().fit(training.data, training.target)
    search = GridSearchCV(Perceptron(), {"eta0": [1, 2]}, refit=False, cv=2)
    search.fit(training.data, training.target % 2)
    foreign = Bunch(data=tested.data, target=tested.target + 4)
    for pipe, beats, message in (
        (fitted, Bunch(data=tested.data, target=None), "have no target"),
        (fitted, foreign, r"y_true holds \['5', '6', '7', '8'\], not among"),
        (sharp, tested, "Perceptron has no predict_proba"),
        (search, tested, "GridSearchCV was fitted with refit=False"),
    ):
        with pytest.raises(ValueError, match=message):
            make_report(pipe, beats, path)
    with pytest.raises(NotFittedError):
        make_report(LogisticRegression(), tested, path)
    assert not path.exists()


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
      const keys = () => [...table.tBodies[0].rows].map((r) => +r.cells[1].textContent);
      table.tHead.rows[0].cells[1].querySelector("button").click();
      const down = keys();
      table.tHead.rows[0].cells[1].querySelector("button").click();
      const up = keys();
      const width = document.documentElement.scrollWidth <= window.innerWidth;
      document.body.dataset.found = JSON.stringify({down, up, width});
    });</script>"""
    probed = tmp_path / "probed.html"
    probed.write_text(text_of(page).replace("<head>", "<head>" + probe, 1))
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
