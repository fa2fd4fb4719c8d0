"""Images of beats: rows of the spectrogram, then rows of features."""

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches
from sklearn.utils.validation import validate_data

from ecg_sklearn.preprocessing._stft import direction_of, power_of
from ecg_sklearn.utils._columns import take_columns

# Power is the square of a sum over a segment, and the largest float32 is 3e38.
LARGEST_AMPLITUDE = 1e15
# Arrays of so many beats stay in the cache of a processor.
_BEATS_OF_PART = 2**8


class ImageMixin:
    """Computations of :class:`SpectrogramTransformer` after planning the STFT."""

    @property
    def _n_channels(self):
        return 3 if self.phase else 1

    @property
    def _n_slots(self):
        """Values in a row of an image."""
        return len(self.times_) * self._n_channels

    @property
    def _n_feature_rows(self):
        """Rows of an image that hold features of the beat."""
        n_features = 0 if self.flatten else len(self.feature_columns_)
        return -(-n_features // max(1, self._n_slots - 1))

    def _by_parts(self, task, images, X):
        """Call ``task(images, X)`` for parts of the beats."""
        for rows in gen_batches(len(X), _BEATS_OF_PART):
            task(images[rows], X[rows])

    def _new_images(self, n_beats):
        """Make images of any content, with a last axis of channels."""
        n_rows = len(self.frequencies_) + self._n_feature_rows
        shape = n_beats, n_rows, len(self.times_), self._n_channels
        return np.empty(shape, dtype=np.float32)

    def _compute(self, images, X):
        """Write spectrograms as they are before normalisation."""
        self._write(images, self._planes(images, X))

    def _normalize(self, images, X):
        """Normalise spectrograms in images, and write features."""
        self._finish(images, np.ascontiguousarray(self._view(images)), X)

    def _compute_normalized(self, images, X):
        """Write normalised spectrograms and features."""
        self._finish(images, self._planes(images, X), X)

    def _view(self, images):
        """View images without features, (n_beats, n_channels, n_freqs, n_frames)."""
        return images[:, : len(self.frequencies_)].transpose(0, 3, 1, 2)

    def _planes(self, images, X):
        """Compute level, cosine and sine, (n_beats, n_channels, n_freqs, n_frames).

        Loops over such an array are much faster than over images with several channels,
        which are interleaved. If there is one, it is a view of the images.
        """
        planes = self._view(images)
        if self.phase:
            planes = np.empty(planes.shape, dtype=np.float32)
        beats = take_columns(X, self.sample_columns_)
        for part, spectrum in self._stft.chunks(beats):
            levels, directions = planes[part, 0], planes[part, 1:]
            power_of(spectrum, out=levels)
            if self.phase:
                direction_of(spectrum, levels, out=directions)
            if self.scale == "magnitude":
                np.sqrt(levels, out=levels)
            elif self.scale == "db":
                to_decibels(levels, self.amin, self.top_db)
        return planes

    def _finish(self, images, planes, X):
        """Write normalised planes and features into images."""
        levels = planes[:, 0]
        if self.normalize == "sample":
            low = levels.min(axis=(1, 2), keepdims=True)
            rescale(levels, low, levels.max(axis=(1, 2), keepdims=True))
        elif self.normalize is not None:
            rescale(levels, self.data_min_[:, None], self.data_max_[:, None])
            np.clip(levels, 0, 1, out=levels)
        if self.phase:
            planes[:, 1:] *= planes[:, :1]
        self._write(images, planes)
        if n_rows := self._n_feature_rows:
            rows = feature_rows(self._features(X), n_rows, self._n_slots)
            images[:, -n_rows:] = rows.reshape(images[:, -n_rows:].shape)

    def _write(self, images, planes):
        """Write planes into images, unless they are a view of them."""
        if not np.may_share_memory(planes, images):
            view = self._view(images)
            for channel in range(self._n_channels):
                view[:, channel] = planes[:, channel]

    def _features(self, X):
        """Standardise the features of beats."""
        features = take_columns(X, self.feature_columns_) - self.feature_mean_
        features = features.astype(np.float32)
        features /= self.feature_scale_
        return features

    def _output(self, images, X):
        """Give images the form of the parameters."""
        if not self.flatten:
            return images if self.phase else images[..., 0]
        flat = images.reshape(len(images), -1)
        if len(self.feature_columns_):
            flat = np.hstack([flat, self._features(X)])
        return flat

    def _levels_in_units(self, X):
        """Levels of beats, (n_beats, n_freqs, n_frames), before normalisation."""
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        return self._planes(self._new_images(len(X)), X)[:, 0]

    def _learn_images(self, X):
        """Compute images before normalisation, and update the fitted attributes."""
        images = self._new_images(len(X))
        self._by_parts(self._compute, images, X)
        if self.normalize in ("global", "frequency"):
            known = None
            if hasattr(self, "data_min_"):
                known = self.data_min_, self.data_max_
            self.data_min_, self.data_max_ = limits_of(
                self._view(images)[:, 0], self.normalize, known
            )
        n_seen = getattr(self, "n_samples_seen_", 0)
        self.feature_mean_ = self.feature_scale_ = np.empty(0)
        if len(self.feature_columns_):
            scaler = self.__dict__.setdefault("_feature_scaler", StandardScaler())
            scaler.partial_fit(take_columns(X, self.feature_columns_))
            self.feature_mean_, self.feature_scale_ = scaler.mean_, scaler.scale_
        self.n_samples_seen_ = n_seen + len(X)
        return images


def check_amplitude(X):
    """Refuse beats beyond 1e15, whose power overflows float32."""
    largest = max(X.max(), -X.min()) if X.size else 0.0
    if largest > LARGEST_AMPLITUDE:
        raise ValueError(
            f"X holds a value of size {largest:.3g}; its power does not fit into "
            f"float32. Scale the beats to values below {LARGEST_AMPLITUDE:g} (an ECG "
            "in mV stays below 100)."
        )


def to_decibels(power, amin, top_db):
    """Convert power, (n_beats, n_freqs, n_frames), to decibels, in place.

    Power is clipped at ``amin`` from below, and levels at ``top_db`` below the largest
    level of each beat.
    """
    np.maximum(power, np.float32(amin), out=power)
    np.log(power, out=power)  # without AVX-512, NumPy's log10 takes four times as long
    power *= np.float32(10 / np.log(10))
    if top_db is not None:
        floor = power.max(axis=(1, 2), keepdims=True) - np.float32(top_db)
        np.maximum(power, floor, out=power)


def limits_of(levels, normalize, known=None):
    """Find the smallest and the largest level, over all values or by frequency.

    ``known`` are the limits of earlier beats, which are extended. The limits have shape
    (1,) or (n_freqs,).
    """
    axis = None if normalize == "global" else (0, 2)
    low = np.atleast_1d(levels.min(axis=axis))
    high = np.atleast_1d(levels.max(axis=axis))
    if known is not None:
        low, high = np.minimum(low, known[0]), np.maximum(high, known[1])
    return low, high


def rescale(levels, low, high):
    """Scale [low, high] to [0, 1], in place; constant values become 0."""
    span = high - low
    levels -= low
    levels /= np.where(span > 0, span, 1)


def feature_rows(features, n_rows, n_slots):
    """Arrange features in rows of an image, (n_beats, n_rows, n_slots).

    Unused slots are NaN, and so is the last slot of each row.
    """
    room = n_rows * (n_slots - 1) - features.shape[1]
    rows = np.pad(features, ((0, 0), (0, room)), constant_values=np.nan)
    rows = rows.reshape(len(features), n_rows, n_slots - 1)
    return np.pad(rows, ((0, 0), (0, 0), (0, 1)), constant_values=np.nan)
