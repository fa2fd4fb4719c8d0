"""Beats of a stream, found and classified as they come: :class:`StreamAnalyzer`."""

from numbers import Real

import numpy as np
import pandas as pd

from ecg_sklearn.datasets._cut import cut_like
from ecg_sklearn.datasets._cut_stream import StreamCutter
from ecg_sklearn.detection import BeatDetector
from ecg_sklearn.exporting import ExportedGraph
from ecg_sklearn.features import CAUSAL_GROUPS
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.utils._labels import choose_labels

_BLOCK = 60  # s handled at once, for memory


class StreamAnalyzer:
    """Find and classify the beats of one lead while it is recorded.

    The beats, their classes and their probabilities are those that
    :func:`~ecg_sklearn.detection.detect_beats`,
    :func:`~ecg_sklearn.datasets.cut_beats` and the model give for the whole recording,
    for any division of the stream into blocks.

    Parameters
    ----------
    model : classifier or exported graph
        A fitted model that knows how its beats were cut, in windows, with no other
        features than those of :data:`~ecg_sklearn.features.CAUSAL_GROUPS`: a pipeline
        of :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`, the shipped model "causal"
        (:func:`~ecg_sklearn.models.load_model`), an ensemble of
        :func:`~ecg_sklearn.pipeline.make_ecg_ensemble`, whose priors follow the stream,
        or a graph of :func:`~ecg_sklearn.exporting.load_graph`. It is not changed, and
        may serve several streams.
    sampling_rate : float
        Samples per second of the stream, in Hz; 50 at least. It may differ from that of
        the model.

    Attributes
    ----------
    columns : list of str
        Columns of the DataFrames that :meth:`push` and :meth:`finish` return.
    n_times : int
        Samples so far.
    n_beats : int
        Beats so far that are decided: those returned, and those left out.
    n_left_out : int
        Beats so far that were left out, because their window does not fit into the
        stream or touches samples that were not recorded.

    Raises
    ------
    ValueError
        If the model does not know its cut, or needs more than the next beat: features
        of the whole record, a
        :class:`~ecg_sklearn.ensemble.SecondPassClassifier`, or rows of the Kaggle form.
    TypeError
        If ``model`` is no model, or ``sampling_rate`` no number.

    See Also
    --------
    ecg_sklearn.detection.BeatDetector : The positions alone, one second late at most.
    ecg_sklearn.datasets.cut_beats : The same for a recording that is complete.

    Notes
    -----
    A beat is returned once the next beat is known, which its features need, and all
    samples of its window have come. Within a gap, interpolation needs the first sample
    behind it: a beat whose samples, or those of the filter that resamples them, reach
    into a gap waits until the gap is over.

    The analyzer holds some seconds of the signal, 600 RR intervals and the waves of 50
    beats, however long the stream is.

    Examples
    --------
    >>> from ecg_sklearn.analysis import StreamAnalyzer
    >>> from ecg_sklearn.datasets import make_recording
    >>> from ecg_sklearn.models import load_model
    >>> lead = make_recording(10, random_state=0).signal[:, 0]
    >>> analyzer = StreamAnalyzer(load_model("causal"), sampling_rate=250)
    >>> for start in range(0, len(lead), 250):
    ...     new = analyzer.push(lead[start : start + 250])
    >>> last = analyzer.finish()
    >>> list(last.columns)[:4]
    ['sample', 'time', 'class', 'probability']
    >>> analyzer.n_times, analyzer.n_beats >= 10
    (2500, True)
    """

    def __init__(self, model, sampling_rate):
        if not isinstance(sampling_rate, Real) or isinstance(sampling_rate, bool):
            raise TypeError(
                f"sampling_rate={sampling_rate!r} is not a number. Give the samples "
                "per second of the stream, such as 250."
            )
        cut, facts = cut_like(model)
        if not hasattr(model, "predict_proba"):
            raise TypeError(
                f"This {type(model).__name__} has no predict_proba. Give a fitted "
                "classifier, or a graph of ecg_sklearn.exporting.load_graph."
            )
        _check_causal(model, cut)
        self.sampling_rate = float(sampling_rate)
        self.n_times = self.n_beats = self.n_left_out = 0
        self._model = _continued(model)
        # Graphs and trees take arrays, whose columns are checked here, and once.
        self._model_reads_names = getattr(self._model, "reads_names", False)
        self._detector = BeatDetector(self.sampling_rate)
        self._cutter = StreamCutter(cut, self.sampling_rate)
        n_expected = getattr(model, "n_features_in_", len(self._cutter.columns))
        if n_expected != len(self._cutter.columns):
            raise ValueError(
                f"The model takes {n_expected} columns, and its cut gives "
                f"{len(self._cutter.columns)}: {facts}. Fit it to all columns of a "
                "loader."
            )
        wanted = getattr(model, "feature_names_in_", None)
        if wanted is not None and list(wanted) != self._cutter.columns:
            pairs = zip(wanted, self._cutter.columns, strict=True)
            first = next(pair for pair in pairs if pair[0] != pair[1])
            raise ValueError(
                f"The model takes the column {first[0]!r} where its cut gives "
                f"{first[1]!r}. Fit it to the columns of a loader in their order."
            )
        self._facts = facts
        names = getattr(model, "class_names_", None)
        names = list(names or label_names(model.classes_))
        self._names = pd.Series(names, dtype="str").array
        self.columns = ["sample", "time", "class", "probability"]
        self.columns += [f"p_{name}" for name in names]
        self._waiting = []  # beats that are cut, and not classified
        self._nothing = self._table(np.empty(0, int), np.empty((0, len(names))))
        self._is_finished = False

    def push(self, samples):
        """Add the next samples of the stream.

        Parameters
        ----------
        samples : array-like of shape (n_new_times,)
            One lead, in the unit of the model, mV; NaN where nothing was recorded. Any
            number of samples, zero included.

        Returns
        -------
        DataFrame of shape (n_new_beats, n_columns)
            The beats that are decided now, in ascending order: "sample", the position
            of the R peak since the start of the stream; "time" in s; "class";
            "probability" of this class; and that of each class, "p_N" and so on. Often
            it is empty.

        Raises
        ------
        ValueError
            If ``samples`` is not one lead of numbers. Nothing was added then.
        RuntimeError
            If the stream was finished.

        Notes
        -----
        If the model raises an error, the samples were added all the same. The beats
        wait for the next call.
        """
        self._check_open("samples can be added")
        samples = _check_samples(samples)
        step = max(1, int(_BLOCK * self.sampling_rate))
        parts = [samples[k : k + step] for k in range(0, len(samples), step)]
        for part in parts or [samples]:
            positions = self._detector.push(part).tolist()
            self.n_times += len(part)
            with np.errstate(over="ignore"):  # too large a value is no value
                values = part.astype(np.float32)
            self._take(self._cutter.push(values, positions))
        return self._classify()

    def finish(self):
        """End the stream, and return the last beats.

        Returns
        -------
        DataFrame of shape (n_new_beats, n_columns)
            As of :meth:`push`.

        Raises
        ------
        RuntimeError
            If the stream was finished before.
        """
        if not self._waiting:  # else the model has failed, and is asked again
            self._check_open("it can be finished")
        if not self._is_finished:
            self._is_finished = True
            positions = self._detector.finish().tolist()
            self._take(self._cutter.finish(positions))
        return self._classify()

    def _check_open(self, what):
        if self._is_finished:
            raise RuntimeError(
                f"This stream of {self.n_times} samples was finished, and {what} no "
                "more. Make a new StreamAnalyzer for the next stream."
            )

    def _take(self, found):
        """Keep beats that are cut until they are classified."""
        positions, is_kept, data = found
        self.n_beats += len(positions)
        self.n_left_out += len(positions) - int(is_kept.sum())
        if len(data):
            self._waiting.append((np.array(positions)[is_kept], data))

    def _classify(self):
        """Make the table of the beats that are cut."""
        if not self._waiting:
            return self._nothing.copy()
        sample, X = map(np.concatenate, zip(*self._waiting, strict=True))
        if self._model_reads_names:
            X = pd.DataFrame(X, columns=self._cutter.columns)
            X.attrs["cut"] = self._facts
        probability = np.asarray(self._model.predict_proba(X), dtype=np.float64)
        self._waiting = []
        return self._table(sample, probability)

    def _table(self, sample, probability):
        chosen = choose_labels(self._model, probability)
        values = [
            sample,
            sample / self.sampling_rate,
            self._names.take(chosen),
            probability[np.arange(len(chosen)), chosen],
            *probability.T,
        ]
        return pd.DataFrame(dict(zip(self.columns, values, strict=True)))


def _check_causal(model, cut):
    """Refuse a model that needs more than the next beat."""
    if cut.form == "kaggle":
        raise ValueError(
            f"This {type(model).__name__} takes rows of the Kaggle form, which end "
            "behind the next beat. For a stream, train on windows: load the beats with "
            'form="window".'
        )
    offline = [group for group in cut.features if group not in CAUSAL_GROUPS]
    if offline:
        raise ValueError(
            f"This {type(model).__name__} uses the features {offline} of the whole "
            "record, which a stream does not have. For a stream, train with "
            f"features={list(CAUSAL_GROUPS)}, as make_ecg_ensemble takes them. For a "
            "recording that is complete, use ecg_sklearn.analysis.analyze."
        )


def _continued(model):
    """Let the answers of a model go on from block to block."""
    if isinstance(model, ExportedGraph):  # each beat alone
        return model
    # It loads imbalanced-learn, which a service with a graph need not wait for.
    from ecg_sklearn.ensemble._continued import ContinuedModel

    return ContinuedModel(model)


def _check_samples(samples):
    """Return samples as one dimension of float64."""
    samples = np.asarray(samples)
    if samples.ndim == 2 and samples.shape[1] == 1:
        samples = samples[:, 0]
    if samples.ndim == 2:
        raise ValueError(
            f"samples has shape {samples.shape}, {samples.shape[1]} leads. Give the "
            "one lead of the model, such as samples[:, 0]."
        )
    if samples.ndim != 1 or samples.dtype.kind not in "iuf":
        raise ValueError(
            f"samples has shape {samples.shape} and type {samples.dtype}. Give numbers "
            "of one lead, in one dimension."
        )
    return samples.astype(np.float64)
