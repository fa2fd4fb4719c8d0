"""Images of beats: spectrogram above, features of the beat below."""

import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import validate_data

from ecg_sklearn.preprocessing._scales import (
    feature_rows,
    limits_of,
    rescale,
    to_decibels,
)
from ecg_sklearn.preprocessing._stft import direction_of, power_of
from ecg_sklearn.utils._columns import take_columns


class ImageMixin:
    """What :class:`SpectrogramTransformer` computes once its STFT is planned."""

    @property
    def _n_slots(self):
        """Values in a row of an image."""
        return len(self.times_) * (3 if self.phase else 1)

    @property
    def _n_feature_rows(self):
        """Rows of an image that hold features of the beat."""
        n_features = 0 if self.flatten else len(self.feature_columns_)
        return -(-n_features // max(1, self._n_slots - 1))

    def _images(self, X):
        """Spectrograms before normalisation, with room for the features of the beat.

        Channels 1 and 2 hold cosine and sine; :meth:`_finish` multiplies them.
        """
        n_rows = len(self.frequencies_) + self._n_feature_rows
        channels = (3,) if self.phase else ()
        shape = (len(X), n_rows, len(self.times_), *channels)
        images = np.empty(shape, dtype=np.float32)
        levels = self._levels(images)
        beats = take_columns(X, self.sample_columns_)
        for part, spectrum in self._stft.chunks(beats):
            if self.phase:
                images[part, : len(self.frequencies_), :, 1:] = direction_of(spectrum)
            chunk = levels[part]
            power_of(spectrum, out=chunk)  # the spectrum is gone now
            if self.scale == "magnitude":
                np.sqrt(chunk, out=chunk)
            elif self.scale == "db":
                to_decibels(chunk, self.amin, self.top_db)
        return images

    def _levels_in_units(self, X):
        """Levels of beats, (n_beats, n_freqs, n_frames), before normalisation."""
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        return self._levels(self._images(X))

    def _levels(self, images):
        """View the levels, (n_beats, n_freqs, n_frames), among what images hold."""
        levels = images[..., 0] if self.phase else images
        return levels[:, : len(self.frequencies_)]

    def _learn(self, X, images):
        """Learn from beats and their spectrograms, beside what was learned before."""
        if self.normalize in ("global", "frequency"):
            known = None
            if hasattr(self, "data_min_"):
                known = self.data_min_, self.data_max_
            self.data_min_, self.data_max_ = limits_of(
                self._levels(images), self.normalize, known
            )
        n_seen = getattr(self, "n_samples_seen_", 0)
        self.feature_mean_ = self.feature_scale_ = np.empty(0)
        if len(self.feature_columns_):
            scaler = self.__dict__.setdefault("_feature_scaler", StandardScaler())
            scaler.partial_fit(take_columns(X, self.feature_columns_))
            self.feature_mean_, self.feature_scale_ = scaler.mean_, scaler.scale_
        self.n_samples_seen_ = n_seen + len(X)

    def _finish(self, X, images):
        """Normalise in place, put the features of the beat beside, flatten."""
        levels = self._levels(images)
        if self.normalize == "sample":
            low = levels.min(axis=(1, 2), keepdims=True)
            rescale(levels, low, levels.max(axis=(1, 2), keepdims=True))
        elif self.normalize is not None:
            rescale(levels, self.data_min_[:, None], self.data_max_[:, None])
            np.clip(levels, 0, 1, out=levels)
        if self.phase:
            images[:, : len(self.frequencies_), :, 1:] *= levels[..., None]
        if not len(self.feature_columns_):
            return images.reshape(len(images), -1) if self.flatten else images
        features = take_columns(X, self.feature_columns_) - self.feature_mean_
        features = features.astype(np.float32)
        features /= self.feature_scale_
        if self.flatten:
            return np.hstack([images.reshape(len(images), -1), features])
        n_rows = self._n_feature_rows
        rows = feature_rows(features, n_rows, self._n_slots)
        images[:, -n_rows:] = rows.reshape(images[:, -n_rows:].shape)
        return images
