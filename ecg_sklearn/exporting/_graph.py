"""A fitted pipeline as one graph: from raw beats to the images of the network.

What each step computes is written down once, in the operations of a "dialect": Keras
here, ONNX in :mod:`ecg_sklearn.exporting._onnx`. A dialect names its operations as
NumPy does; its values are symbolic, and second operands are arrays.
"""

import numpy as np
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from ecg_sklearn.preprocessing import SpectrogramTransformer

__all__ = ["KerasDialect", "images_of", "keras_model", "steps_to_export"]

# Keeps divisions by nothing at 0 / 1e-37 = 0.
_TINY = 1e-37


def steps_to_export(pipe):
    """Find the steps of a pipeline that act on beats to be predicted.

    Parameters
    ----------
    pipe : sklearn.pipeline.Pipeline
        The pipeline, fitted.

    Returns
    -------
    list of tuple
        Name and transformer of each step before the classifier; samplers, which act
        in training alone, and "passthrough" are left out.
    classifier : SpectrogramCNNClassifier
        The last step.

    Raises
    ------
    TypeError
        If ``pipe`` is no pipeline.
    ValueError
        If a step is of a kind that no graph can be made of.
    """
    from ecg_sklearn.neural_network import SpectrogramCNNClassifier

    if not hasattr(pipe, "steps"):
        raise TypeError(
            f"pipe is a {type(pipe).__name__}, not a Pipeline. Give a fitted pipeline "
            "such as make_ecg_pipeline makes: of a search, its best_estimator_; of a "
            "ShapeRhythmClassifier, its estimator_, which is the shape alone."
        )
    *before, (name, classifier) = pipe.steps
    if type(classifier) is not SpectrogramCNNClassifier:
        raise ValueError(
            f"The last step, {name!r}, is a {type(classifier).__name__}. Only a "
            "SpectrogramCNNClassifier can be exported."
        )
    steps = [
        (name, step)
        for name, step in before
        if not (step is None or step == "passthrough" or hasattr(step, "fit_resample"))
    ]
    for name, step in steps:
        if type(step) not in _WRITERS:
            known = ", ".join(kind.__name__ for kind in _WRITERS)
            raise ValueError(
                f"Step {name!r} is a {type(step).__name__}, which export cannot write "
                f"as a graph. It knows {known}, and samplers, which it leaves out."
            )
    return steps, classifier


def images_of(beats, steps, image_shape, ops):
    """Append all steps before the network.

    Parameters
    ----------
    beats : object
        Raw beats, (n_beats, n_columns), as a value of the dialect.
    steps : list of tuple
        What :func:`steps_to_export` gave.
    image_shape : tuple of int
        (n_freqs, n_frames, n_channels) that the network takes.
    ops : object
        The dialect.

    Returns
    -------
    object
        The images, (n_beats, *image_shape), as a value of the dialect.
    """
    x = beats
    for _, step in steps:
        x = _WRITERS[type(step)](x, step, ops)
    return ops.reshape(x, image_shape)


def _write_standard_scaler(x, scaler, ops):
    if scaler.with_mean:
        x = ops.subtract(x, scaler.mean_)
    return ops.divide(x, scaler.scale_) if scaler.with_std else x


def _write_min_max_scaler(x, scaler, ops):
    x = ops.add(ops.multiply(x, scaler.scale_), scaler.min_)
    return ops.clip(x, *scaler.feature_range) if scaler.clip else x


def _write_max_abs_scaler(x, scaler, ops):
    x = ops.divide(x, scaler.scale_)
    return ops.clip(x, -1.0, 1.0) if getattr(scaler, "clip", False) else x


def _write_robust_scaler(x, scaler, ops):
    if scaler.with_centering:
        x = ops.subtract(x, scaler.center_)
    return ops.divide(x, scaler.scale_) if scaler.with_scaling else x


def _write_spectrogram(x, transformer, ops):
    """Append the spectrogram, as SpectrogramTransformer.transform computes it."""
    n_context = transformer.n_context
    n_times = transformer.n_features_in_ - n_context
    n_freqs, n_frames = len(transformer.frequencies_), len(transformer.times_)
    samples = ops.columns(x, 0, n_times) if n_context else x
    real, imaginary = _fourier_parts(samples, transformer._stft, n_times, ops)
    power = ops.add(ops.square(real), ops.square(imaginary))
    images = _normalised(_levels(power, transformer, ops), transformer, ops)
    n_channels = 1
    if transformer.phase:
        n_channels = 3
        cosine, sine = _direction(real, imaginary, ops)
        channels = images, ops.multiply(images, cosine), ops.multiply(images, sine)
        shape = (n_freqs, n_frames, 1)
        images = ops.concatenate([ops.reshape(c, shape) for c in channels], axis=3)
    if not n_context and not transformer.flatten:
        return images
    n_slots = n_frames * n_channels
    flat = ops.reshape(images, (n_freqs * n_slots,))
    if n_context:
        context = ops.columns(x, n_times, n_times + n_context)
        context = ops.subtract(context, transformer.context_mean_)
        context = ops.divide(context, transformer.context_scale_)
        if not transformer.flatten:
            context = ops.pad_columns(context, 0, n_slots - n_context)
        # A row behind the last is, in C order, what follows the rest.
        flat = ops.concatenate([flat, context], axis=1)
    return flat


def _fourier_parts(beats, stft, n_times, ops):
    """Real and imaginary parts, each (n_beats, n_freqs, n_frames)."""
    extended = _extended(beats, stft.padding, stft.boundary, n_times, ops)
    # As in ShortTimePower: what is taken from the whole beat spares float32 digits.
    if stft.detrend:
        axis = np.linspace(-1, 1, n_times + 2 * stft.padding)
        powers = [axis**0] if stft.detrend == "constant" else [axis**0, axis]
        basis = np.linalg.qr(np.stack(powers, axis=1))[0]
        trend = ops.matmul(ops.matmul(extended, basis), basis.T)
        extended = ops.subtract(extended, trend)
    matrix = stft.matrix if stft.matrix is not None else stft._fourier_matrix()
    spectrum = ops.correlate(extended, matrix, stft.hop)
    n_freqs = len(stft.frequencies)
    return ops.columns(spectrum, 0, n_freqs), ops.columns(
        spectrum, n_freqs, 2 * n_freqs
    )


def _extended(beats, padding, boundary, n_times, ops):
    """Append the extension of beats at both ends."""
    if not padding:
        return beats
    if boundary == "zeros":
        return ops.pad_columns(beats, padding, padding)
    sources = np.arange(n_times)
    edge = np.pad(sources, padding, mode="edge")
    if boundary == "constant":
        return ops.take(beats, edge)
    mirrored = ops.take(beats, np.pad(sources, padding, mode="reflect"))
    if boundary == "even":
        return mirrored
    # Mirrored at the first sample, not only in time: 2 a - a = a in between.
    return ops.subtract(ops.multiply(ops.take(beats, edge), 2.0), mirrored)


def _levels(power, transformer, ops):
    """Power on the chosen scale."""
    if transformer.scale == "magnitude":
        return ops.sqrt(power)
    if transformer.scale == "power":
        return power
    power = ops.maximum(power, transformer.amin)
    levels = ops.multiply(ops.log(power), 10 / np.log(10))
    if transformer.top_db is None:
        return levels
    floor = ops.subtract(ops.amax(levels), transformer.top_db)
    return ops.maximum(levels, floor)


def _normalised(levels, transformer, ops):
    """Levels between 0 and 1."""
    if transformer.normalize is None:
        return levels
    if transformer.normalize == "sample":
        low = ops.amin(levels)
        span = ops.subtract(ops.amax(levels), low)
        return ops.divide(ops.subtract(levels, low), ops.maximum(span, _TINY))
    low, high = transformer.data_min_, transformer.data_max_
    span = np.where(high > low, high - low, 1)
    levels = ops.divide(ops.subtract(levels, low[:, None]), span[:, None])
    return ops.clip(levels, 0.0, 1.0)


def _direction(real, imaginary, ops):
    """Cosine and sine of the phase; scaled first, so that no square is lost."""
    largest = ops.maximum(ops.absolute(real), ops.absolute(imaginary))
    largest = ops.maximum(largest, _TINY)
    real, imaginary = ops.divide(real, largest), ops.divide(imaginary, largest)
    modulus = ops.sqrt(ops.add(ops.square(real), ops.square(imaginary)))
    modulus = ops.maximum(modulus, _TINY)
    return ops.divide(real, modulus), ops.divide(imaginary, modulus)


_WRITERS = {
    StandardScaler: _write_standard_scaler,
    MinMaxScaler: _write_min_max_scaler,
    MaxAbsScaler: _write_max_abs_scaler,
    RobustScaler: _write_robust_scaler,
    SpectrogramTransformer: _write_spectrogram,
}


class KerasDialect:
    """The operations in Keras; every one is saved by Keras without custom code."""

    def __init__(self):
        import keras

        self.keras = keras.ops

    def __getattr__(self, name):
        """Take an operation that Keras names as NumPy does; arrays as float32."""
        function = getattr(self.keras, name)
        return lambda x, *others: function(x, *map(_as_operand, others))

    def columns(self, x, start, stop):
        """Part of the second axis."""
        return x[:, start:stop]

    def take(self, x, indices):
        """Columns in a new order."""
        return self.keras.take(x, indices, axis=1)

    def pad_columns(self, x, before, after):
        """Zeros on both sides of the second axis."""
        return self.keras.pad(x, ((0, 0), (before, after)))

    def amax(self, x):
        """Largest value of each beat."""
        return self.keras.amax(x, axis=(1, 2), keepdims=True)

    def amin(self, x):
        """Smallest value of each beat."""
        return self.keras.amin(x, axis=(1, 2), keepdims=True)

    def concatenate(self, values, axis):
        """Values behind each other."""
        return self.keras.concatenate(values, axis=axis)

    def reshape(self, x, shape):
        """Another shape behind the axis of the beats."""
        return self.keras.reshape(x, (-1, *shape))

    def correlate(self, x, matrix, hop):
        """Products of a matrix with all segments, (n_beats, n_rows, n_frames)."""
        frames = self.keras.conv(
            self.keras.expand_dims(x, -1),
            np.asarray(matrix, dtype=np.float32).T[:, None, :],
            strides=hop,
            padding="valid",
            data_format="channels_last",
        )
        return self.keras.transpose(frames, (0, 2, 1))


def _as_operand(value):
    """Arrays and numbers in single precision; symbolic values as they are."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float32)
    return float(value) if isinstance(value, (int, float, np.number)) else value


def keras_model(steps, classifier, n_columns):
    """Build the whole pipeline as one Keras model.

    Parameters
    ----------
    steps : list of tuple
        What :func:`steps_to_export` gave.
    classifier : SpectrogramCNNClassifier
        The fitted classifier; its network is copied.
    n_columns : int
        Columns of the raw beats.

    Returns
    -------
    keras.Model
        (n_beats, n_columns) to (n_beats, n_classes).
    """
    import keras

    from ecg_sklearn.neural_network._network import pack_network, unpack_network

    network = unpack_network(pack_network(classifier.model_))
    beats = keras.Input((n_columns,), dtype="float32", name="beats")
    images = images_of(beats, steps, network.input_shape[1:], KerasDialect())
    return keras.Model(beats, network(images), name="ecg_pipeline")
