"""First step of a pipeline: scales beats and checks how they were cut."""

import warnings

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.utils._columns import sample_columns, take_columns
from ecg_sklearn.utils._cut import check_cut, cut_of
from ecg_sklearn.utils._validation import refuse_label_column, refuse_one_hot

_LARGER = 20
_BEATS_TO_MEASURE = 2**10


class BeatScaler(StandardScaler, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Subtract the mean beat, and refuse beats cut differently from the training beats.

    This is scikit-learn's StandardScaler with ``with_std=False`` by default. In
    addition it

    - keeps the container: a DataFrame gives a pandas DataFrame, an array gives an
      array, with any ``set_output``;
    - stores how the training beats were cut (``beats.cut`` of a loader, also in
      ``beats.frame.attrs``), and refuses beats that were cut differently;
    - refuses a column of ``X`` that is the label, and one-hot labels;
    - warns about beats that are more than 20 times larger than in training, such as
      ADC counts instead of mV.

    Parameters
    ----------
    with_std : bool, default=False
        Divide each column by its standard deviation. This distorts the beat, because
        each sample is divided by a different number.

    Attributes
    ----------
    cut_ : dict or None
        How the training beats were cut: ``form``, ``window``, ``sampling_rate``,
        ``channel``, ``unit``, ``features``, ``align``. None if ``X`` had no such
        information.
    amplitude_ : float
        Mean difference between the largest and the smallest sample of a beat.
    mean_ : ndarray of shape (n_columns,)
        Mean of each column.
    scale_, var_ : ndarray of shape (n_columns,) or None
        Standard deviation (1 for constant columns) and variance of each column; None
        with ``with_std=False``.
    n_samples_seen_ : int
        Number of training beats.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    See Also
    --------
    ecg_sklearn.pipeline.make_ecg_pipeline : Uses it as the step ``scaler``.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.preprocessing import BeatScaler
    >>> beats = make_heartbeats(100, random_state=0)
    >>> scaled = BeatScaler().fit_transform(beats.frame)
    >>> scaled.shape, bool(abs(scaled.mean()).max() < 1e-6)
    ((100, 187), True)
    """

    _parameter_constraints: dict = {"with_std": ["boolean"]}

    def __init__(self, *, with_std=False):
        super().__init__(with_std=with_std)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = False
        return tags

    def _reset(self):
        super()._reset()
        for name in ("cut_", "amplitude_"):
            self.__dict__.pop(name, None)

    def partial_fit(self, X, y=None, sample_weight=None):
        """Update the mean beat; store the cut of the first beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : array-like of shape (n_beats,), default=None
            Labels, for the check that no column of ``X`` is the label.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat in the mean beat.

        Returns
        -------
        BeatScaler
            The scaler, fitted to all beats seen so far.

        Raises
        ------
        ValueError
            If a column of ``X`` is the label, ``y`` is one-hot, or the beats were cut
            differently from earlier beats.
        """
        labels = None if y is None else _labels_of(y)
        n_seen = float(np.max(getattr(self, "n_samples_seen_", 0)))
        cut = getattr(self, "cut_", cut_of(X))
        check_cut(X, cut)
        super().partial_fit(X, y, sample_weight)
        self.cut_ = cut
        if labels is not None:
            names = getattr(self, "feature_names_in_", None)
            refuse_label_column(X, labels, names)
        sizes = self._sizes(X)
        total = sizes.sum(dtype=np.float64) + n_seen * getattr(self, "amplitude_", 0.0)
        self.amplitude_ = float(total / (n_seen + len(sizes)))
        return self

    def transform(self, X, copy=None):
        """Subtract the mean beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats, cut like the training beats.
        copy : object
            Ignored; ``X`` is never changed.

        Returns
        -------
        ndarray or DataFrame of shape (n_beats, n_columns)
            The scaled beats; a DataFrame if ``X`` is one.

        Raises
        ------
        ValueError
            If the beats were cut differently from the training beats.

        Warns
        -----
        UserWarning
            If they are more than 20 times larger.
        """
        check_is_fitted(self)
        check_cut(X, self.cut_)
        scaled = super().transform(X)
        step = max(1, scaled.shape[0] // _BEATS_TO_MEASURE)
        size = float(np.median(self._sizes(X, step)))
        if size > _LARGER * self.amplitude_ > 0:
            warnings.warn(
                f"These beats are {size / self.amplitude_:.0f} times larger than the "
                f"training beats ({size:.3g} from lowest to highest sample, against "
                f"{self.amplitude_:.3g}). Give them in the unit of the training beats: "
                "ADC counts are divided by the gain to get mV.",
                UserWarning,
                stacklevel=2,
            )
        if not hasattr(X, "columns"):
            return scaled
        import pandas as pd

        index = getattr(X, "index", None)
        frame = pd.DataFrame(scaled, index=index, columns=list(X.columns), copy=False)
        frame.attrs = getattr(X, "attrs", {})
        return frame

    def set_output(self, *, transform=None):
        """Accept scikit-learn's setting, which has no effect.

        The container of ``X`` is kept, because samplers only support arrays and pandas.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored; here for the API.

        Returns
        -------
        BeatScaler
            This scaler.
        """
        return self

    def _sizes(self, X, step=1):
        """Largest minus smallest sample of each beat, or of one in ``step`` beats."""
        X = np.asarray(X)[::step]
        names = getattr(self, "feature_names_in_", None)
        columns, _ = sample_columns("auto", X, names)
        beats = take_columns(X, columns)
        if beats.dtype.kind != "f":
            beats = beats.astype(np.float64)
        with np.errstate(all="ignore"):
            return np.ptp(beats, axis=1)


def _labels_of(y):
    """Labels as a flat array; None if ``y`` are not labels, such as in regression."""
    refuse_one_hot(y)
    y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if y.ndim == 0 or y.size != len(y):
        return None
    y = y.reshape(-1)
    if y.dtype.kind == "O" and not all(isinstance(label, str) for label in y):
        return None
    if y.dtype.kind == "f" and not (y == np.floor(y)).all():
        return None
    return y
