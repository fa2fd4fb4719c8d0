"""Builds a fitted pipeline as one Keras model."""

import keras
import numpy as np
from keras import ops
from sklearn.preprocessing import MinMaxScaler

from ecg_sklearn.preprocessing import SpectrogramTransformer

__all__ = ["keras_model", "spectrogram_model"]

# Avoids division by zero: 0 / 1e-37 = 0.
_TINY = np.float32(1e-37)


def keras_model(steps, network, n_columns):
    """Build the pipeline as one Keras model without custom code."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    model = _joined(steps, copy, n_columns)
    model(np.zeros((1, n_columns), dtype=np.float32))  # Keras export needs a call
    return model


def spectrogram_model(transformer, network):
    """Build a transformer and a network as one Keras model, of the same weights."""
    return _joined([transformer], network, transformer.n_features_in_)


def _joined(steps, network, n_columns):
    beats = keras.Input((n_columns,), dtype="float32", name="beats")
    x = beats
    for step in steps:
        is_scaler = not isinstance(step, SpectrogramTransformer)
        x = _scaled(x, step) if is_scaler else _images(x, step)
    images = ops.reshape(x, (-1, *network.input_shape[1:]))
    return keras.Model(beats, network(images), name="ecg_pipeline")


def _float32(value):
    return np.asarray(value, dtype=np.float32)


def _scaled(x, scaler):
    """Append a scaler, with the operations of scikit-learn in the same order."""
    if isinstance(scaler, MinMaxScaler):
        x = x * _float32(scaler.scale_) + _float32(scaler.min_)
        limits = scaler.feature_range
    else:
        center = scaler.mean_ if getattr(scaler, "with_mean", False) else None
        center = getattr(scaler, "center_", center)
        x = x if center is None else x - _float32(center)
        x = x if scaler.scale_ is None else x / _float32(scaler.scale_)
        limits = -1, 1
    return ops.clip(x, *map(float, limits)) if getattr(scaler, "clip", False) else x


def _images(x, transformer):
    """Append the spectrogram, as (n_beats, n_values) in C order."""
    beats = _take(x, transformer.sample_columns_)
    real, imaginary = _fourier_parts(beats, transformer._stft)
    power = ops.square(real) + ops.square(imaginary)
    images = _normalised(_levels(power, transformer), transformer)
    if transformer.phase:
        cosine, sine = _direction(real, imaginary)
        images = ops.stack([images, images * cosine, images * sine], axis=3)
    _, n_freqs, *row = images.shape
    flat = ops.reshape(images, (-1, n_freqs * int(np.prod(row))))
    if not len(transformer.feature_columns_):
        return flat
    features = _take(x, transformer.feature_columns_)
    features = features - _float32(transformer.feature_mean_)
    features = features / _float32(transformer.feature_scale_)
    if not transformer.flatten:
        features = _rows(features, int(np.prod(row)))
    # In C order, additional rows are appended values.
    return ops.concatenate([flat, features], axis=1)


def _rows(features, n_slots):
    """Arrange features in rows, padded with zeros instead of NaN."""
    n_features = features.shape[1]
    n_rows = -(-n_features // (n_slots - 1))
    room = n_rows * (n_slots - 1) - n_features
    rows = ops.pad(features, ((0, 0), (0, room)))
    rows = ops.reshape(rows, (-1, n_rows, n_slots - 1))
    return ops.reshape(ops.pad(rows, ((0, 0), (0, 0), (0, 1))), (-1, n_rows * n_slots))


def _take(x, indices):
    """Take columns by position."""
    if np.array_equal(indices, np.arange(x.shape[1])):
        return x
    return ops.take(x, np.asarray(indices, dtype=np.int32), axis=1)


def _fourier_parts(beats, stft):
    """Real and imaginary parts, each (n_beats, n_freqs, n_frames)."""
    x = _extended(beats, stft.padding, stft.boundary)
    # As in ShortTimePower: detrending the whole beat first keeps float32 digits.
    if stft.detrend:
        axis = np.linspace(-1, 1, x.shape[1])
        powers = [axis**0] if stft.detrend == "constant" else [axis**0, axis]
        basis = _float32(np.linalg.qr(np.stack(powers, axis=1))[0])
        x = x - ops.matmul(ops.matmul(x, basis), basis.T)
    matrix = stft.matrix if stft.matrix is not None else stft._fourier_matrix()
    spectrum = ops.conv(
        ops.expand_dims(x, -1),
        _float32(matrix).T[:, None, :],
        strides=stft.hop,
        padding="valid",
        data_format="channels_last",
    )
    spectrum = ops.transpose(spectrum, (0, 2, 1))
    n_freqs = len(stft.frequencies)
    return spectrum[:, :n_freqs], spectrum[:, n_freqs:]


def _extended(beats, padding, boundary):
    """Extend beats at both ends."""
    if not padding:
        return beats
    if boundary == "zeros":
        return ops.pad(beats, ((0, 0), (padding, padding)))
    sources = np.arange(beats.shape[1])
    edge = np.pad(sources, padding, mode="edge")
    if boundary == "constant":
        return _take(beats, edge)
    mirrored = _take(beats, np.pad(sources, padding, mode="reflect"))
    if boundary == "even":
        return mirrored
    # Odd extension: point reflection at the edge sample.
    return _take(beats, edge) * _float32(2) - mirrored


def _levels(power, transformer):
    """Convert power to the chosen scale."""
    if transformer.scale == "magnitude":
        return ops.sqrt(power)
    if transformer.scale == "power":
        return power
    decibels = ops.log(ops.maximum(power, _float32(transformer.amin)))
    decibels = decibels * _float32(10 / np.log(10))
    if transformer.top_db is None:
        return decibels
    floor = ops.amax(decibels, axis=(1, 2), keepdims=True)
    return ops.maximum(decibels, floor - _float32(transformer.top_db))


def _normalised(levels, transformer):
    """Normalise levels to [0, 1]."""
    if transformer.normalize is None:
        return levels
    if transformer.normalize == "sample":
        low = ops.amin(levels, axis=(1, 2), keepdims=True)
        span = ops.amax(levels, axis=(1, 2), keepdims=True) - low
        return (levels - low) / ops.maximum(span, _TINY)
    low, high = transformer.data_min_, transformer.data_max_
    span = np.where(high > low, high - low, 1)
    levels = (levels - _float32(low)[:, None]) / _float32(span)[:, None]
    return ops.clip(levels, 0.0, 1.0)


def _direction(real, imaginary):
    """Cosine and sine of the phase; scaled first, so that squares do not underflow."""
    largest = ops.maximum(ops.absolute(real), ops.absolute(imaginary))
    largest = ops.maximum(largest, _TINY)
    real, imaginary = real / largest, imaginary / largest
    modulus = ops.sqrt(ops.square(real) + ops.square(imaginary))
    modulus = ops.maximum(modulus, _TINY)
    return real / modulus, imaginary / modulus
