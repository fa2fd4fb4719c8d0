"""Beats of a signal, cut as a model expects."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from ecg_sklearn.datasets import cut_beats, load_wfdb_beats, make_heartbeats
from ecg_sklearn.pipeline import make_ecg_pipeline
from ecg_sklearn.preprocessing import BeatScaler

FEATURES = ["rr", "morphology", "rhythm"]


@pytest.fixture
def record(wfdb_folder):
    """The signal, rate and beat positions of the record r1."""
    import wfdb

    signal = wfdb.rdrecord(str(wfdb_folder / "r1")).p_signal[:, 0]
    notes = wfdb.rdann(str(wfdb_folder / "r1"), "atr")
    is_beat = np.isin(notes.symbol, list("NVA"))
    return signal, 250.0, notes.sample[is_beat]


@pytest.mark.parametrize("features", [[], ["rr"], FEATURES])
@pytest.mark.parametrize(
    "how",
    [
        {"window": (-0.3, 0.4)},
        {"window": (-0.2, 0.6), "sampling_rate": 125},
        {"align": "peak"},
    ],
)
def test_the_columns_of_the_loader(wfdb_folder, record, how, features):
    beats = load_wfdb_beats(wfdb_folder, records=["r1"], features=features, **how)
    X = cut_beats(*record, like=beats.cut)
    assert list(X.columns) == list(beats.frame.columns)
    assert X.attrs["cut"] == beats.cut
    np.testing.assert_allclose(X, beats.frame, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(record[2][X.index] / 250, beats.time)


def test_rows_of_the_kaggle_form(record):
    cut = make_heartbeats(20, n_records=1, random_state=0).cut
    X = cut_beats(*record, like=cut)
    # The last beat has no next one, which ends its row.
    assert X.shape == (len(record[2]) - 1, 187)
    assert X.to_numpy().min() == 0
    assert X.to_numpy().max() == 1


def test_another_rate_gives_the_same_columns(record):
    from scipy.signal import resample_poly

    signal, rate, position = record
    cut = {"form": "window", "window": [-0.3, 0.4], "sampling_rate": 100, "unit": "mV"}
    expected = cut_beats(signal, rate, position, like=cut)
    twice = resample_poly(signal, 2, 1)
    found = cut_beats(twice, 2 * rate, 2 * position, like=cut)
    assert found.shape == expected.shape
    assert (
        np.corrcoef(found.to_numpy().ravel(), expected.to_numpy().ravel())[0, 1] > 0.999
    )


class TestModelsThatKnowTheirCut:
    beats = make_heartbeats(150, n_records=3, form="window", random_state=0)

    def check(self, model, record):
        X = cut_beats(*record, like=model)
        assert X.shape[1] == self.beats.frame.shape[1]
        assert X.attrs["cut"] == self.beats.cut
        assert len(model.predict(X)) == len(X)

    def make(self):
        rate = self.beats.sampling_rate
        return make_ecg_pipeline(
            sampling_rate=rate, filters=(4,), epochs=1, random_state=0
        )

    @pytest.mark.slow
    def test_pipeline_search_and_copies(self, record, tmp_path):
        from ecg_sklearn import load, save

        pipe = self.make().fit(self.beats.frame, self.beats.target)
        self.check(pipe, record)
        joblib.dump(pipe, tmp_path / "model.joblib")
        self.check(joblib.load(tmp_path / "model.joblib"), record)
        save(pipe, tmp_path / "model.ecgsk")
        self.check(load(tmp_path / "model.ecgsk"), record)
        search = GridSearchCV(self.make(), {"cnn__dropout": [0.1]}, cv=2)
        self.check(search.fit(self.beats.frame, self.beats.target), record)
        assert not hasattr(clone(pipe)["scaler"], "cut_")

    def test_models_that_do_not(self, record):
        arrays = BeatScaler().fit(self.beats.data)
        for like in (arrays, BeatScaler()):
            with pytest.raises(
                ValueError, match="does not know how its beats were cut"
            ):
                cut_beats(*record, like=like)
        with pytest.raises(TypeError, match=r"ecg_sklearn\.load first"):
            cut_beats(*record, like="model.ecgsk")
        with pytest.raises(ValueError, match="is not the cut of a loader"):
            cut_beats(*record, like={"window": (0, 1)})


def test_what_was_not_recorded_is_left_out(record):
    signal, rate, position = record
    signal = signal.copy()
    signal[position[5] - 20 : position[5]] = np.nan
    cut = {"form": "window", "window": [-0.3, 0.4], "sampling_rate": 250, "unit": "mV"}
    with pytest.warns(UserWarning, match=r"1 of \d+ beats hold samples"):
        X = cut_beats(signal, rate, position, like=cut)
    assert 5 not in X.index
    assert len(X) == len(position) - 1
    assert np.isfinite(X.to_numpy()).all()


def test_beats_at_the_ends_and_no_beats(record):
    signal, rate, _ = record
    cut = {"form": "window", "window": [-0.3, 0.4], "sampling_rate": 250, "unit": "mV"}
    X = cut_beats(signal, rate, [10, 500, len(signal) - 10], like=cut)
    assert X.index.tolist() == [1]
    for features in ([], FEATURES):
        X = cut_beats(signal, rate, [], like=cut | {"features": features})
        assert X.shape[0] == 0
        assert X.shape[1] == 175 + (38 if features else 0)
    X = cut_beats(signal, rate, [], like={"form": "kaggle"} | KAGGLE)
    assert X.shape == (0, 187)


KAGGLE = {"sampling_rate": 120.0, "unit": "min-max"}


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([300, 200], "not ascending"),
        ([-1, 200], "go from -1 to 200"),
        ([200, 10**6], "n_times=7500"),
        ([np.nan], "go from nan"),
        ([[200]], r"shape \(1, 1\)"),
        (["a"], "type <U1"),
    ],
)
def test_positions_that_are_none(record, positions, message):
    with pytest.raises(ValueError, match=message):
        cut_beats(*record[:2], positions, like={"form": "kaggle"} | KAGGLE)


def test_two_leads_are_refused(record):
    with pytest.raises(ValueError, match="Give one lead"):
        cut_beats(np.zeros((100, 2)), 250, [50], like={"form": "kaggle"} | KAGGLE)
