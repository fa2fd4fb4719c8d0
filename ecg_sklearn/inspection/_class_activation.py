"""Class activation maps of a fitted network: :func:`grad_cam`."""

from numbers import Integral

import numpy as np
from sklearn.utils import Bunch, _safe_indexing
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.utils._columns import sample_columns

# Beats per chunk, to bound the memory of activations and gradients.
_CHUNK_BEATS = 256
# Smallest map of the default block: rows, columns.
_SMALLEST_MAP = (3, 6)


@validate_params(
    {
        "layer": [Interval(Integral, 1, None, closed="left"), str, None],
    },
    prefer_skip_nested_validation=True,
)
def grad_cam(pipe, X, class_=None, *, layer=None):
    """Map the evidence for a class on the spectrogram, by Grad-CAM.

    The output of a convolution block is multiplied elementwise by the gradient of the
    class score (before the softmax), summed over the channels, clipped at zero, and
    resized to the spectrogram.

    Parameters
    ----------
    pipe : Pipeline or SpectrogramCNNClassifier
        Fitted. In a pipeline, the steps before the classifier transform ``X``;
        samplers are skipped.
    X : array-like or DataFrame of shape (n_beats, n_columns)
        Beats, in the form that ``pipe`` was fitted on; spectrograms for a classifier
        without a pipeline. Features are used but not explained.
    class_ : label, default=None
        The class to explain. None explains the predicted class of each beat.
    layer : int or str, default=None
        The convolution block, counted from 1, or the name of a layer of ``model_``. A
        block is a convolution and all layers up to the next one; convolutions that a
        shortcut bypasses do not count. None takes the last block whose map has at least
        3 rows and 6 columns (or as many as the spectrogram, if it has fewer), or else
        the first block.

    Returns
    -------
    Bunch
        ``heatmap`` of shape (n_beats, n_freqs, n_frames) float32, in [0, 1], divided
        by the largest value of the beat; all zeros without evidence. ``time_profile``
        of shape (n_beats, n_times) float32: mean of the heatmap over the frequencies,
        interpolated to the samples of the beat.
        ``frequencies`` (n_freqs,) in Hz, ``frame_times`` (n_frames,) and ``times``
        (n_times,) in seconds from the first sample. ``classes`` (n_beats,), the
        labels explained, and ``probability`` (n_beats,), their predicted
        probabilities. ``layer``, the name of the layer.

        Without a step that makes spectrograms of the network's input shape,
        the three axes are None and ``time_profile`` has shape (n_beats, n_frames).

    Raises
    ------
    ValueError
        If the class or layer is unknown, or the classifier has no convolutions.
    sklearn.exceptions.NotFittedError
        If the classifier is not fitted.
    RuntimeError
        If Keras does not run on TensorFlow.

    See Also
    --------
    occlusion : Explains any classifier.
    BeatExplanationDisplay : Draws both kinds of explanation.

    Notes
    -----
    Grad-CAM [1]_ weights a channel by its mean gradient over the map. Here each
    position is weighted by its own gradient (HiResCAM [2]_). On the last block both
    agree, but its map of a spectrogram of 12 by 47 has only 1 by 3 positions. On
    earlier blocks the mean gradient localises poorly: for simulated V beats and block
    2, it puts 0.12 to 0.46 of the mass within 0.15 s of the R peak (uniform: 0.10), and
    the own gradient 0.56 to 0.64.

    A position of the map is placed at the centre of its receptive field. On the third
    block of the default network, this is 0.1 s later than a plain resize.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks
       via gradient-based localization", ICCV, 2017.
    .. [2] R. L. Draelos, L. Carin, "Use HiResCAM instead of Grad-CAM for faithful
       explanations of convolutional neural networks", arXiv:2011.08891, 2020.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.inspection import grad_cam
    >>> from ecg_sklearn.pipeline import make_ecg_pipeline
    >>> X, y = make_heartbeats(300, random_state=0, return_X_y=True)
    >>> pipe = make_ecg_pipeline(filters=(8, 16), epochs=2, random_state=0).fit(X, y)
    >>> found = grad_cam(pipe, X[:5], class_=2)
    >>> found.heatmap.shape, found.time_profile.shape
    ((5, 12, 47), (5, 187))
    """
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise RuntimeError(
            f"grad_cam takes gradients with TensorFlow, but Keras runs on {backend!r}. "
            'Set KERAS_BACKEND="tensorflow" before Keras is imported, or use occlusion.'
        )
    steps, classifier = split_pipeline(pipe)
    network = getattr(classifier, "model_", None)
    if not hasattr(network, "layers"):
        raise ValueError(
            f"grad_cam explains convolutional networks, and {type(classifier).__name__}"
            " has none in model_. Use occlusion, which works with any classifier."
        )
    path = _choose_path(network, layer)
    to_rows, to_columns = _resizers(path)
    scores = _ScoreGradient(network, path[-1])
    heatmaps, codes, probabilities = [], [], []
    if not hasattr(X, "iloc"):
        X = np.asarray(X)
    for start in range(0, max(len(X), 1), _CHUNK_BEATS):  # once if X is empty
        part = slice(start, start + _CHUNK_BEATS)
        images = _safe_indexing(X, part)
        for step in steps:
            images = step.transform(images)
        probability = classifier.predict_proba(images)
        code = class_codes(class_, classifier.classes_, probability)
        maps, gradients = scores(images, code)
        coarse = np.maximum((maps * gradients).sum(axis=-1), 0)
        heatmap = to_rows @ coarse @ to_columns.T
        peak = heatmap.max(axis=(1, 2), keepdims=True)
        heatmaps.append(heatmap / np.where(peak > 0, peak, 1))
        codes.append(code)
        probabilities.append(np.take_along_axis(probability, code[:, None], 1)[:, 0])
    heatmap = np.concatenate(heatmaps)
    return Bunch(
        heatmap=heatmap,
        **_on_the_time_axis(heatmap, spectrogram_step(steps)),
        classes=classifier.classes_[np.concatenate(codes)],
        probability=np.concatenate(probabilities),
        layer=path[-1].name,
    )


def split_pipeline(pipe):
    """Split a pipeline into its transformers and the classifier."""
    if not hasattr(pipe, "steps"):
        check_is_fitted(pipe)
        return [], pipe
    *steps, classifier = (step for _, step in pipe.steps)
    check_is_fitted(classifier)
    steps = [
        step
        for step in steps
        if step not in (None, "passthrough") and not hasattr(step, "fit_resample")
    ]
    return steps, classifier


def spectrogram_step(steps):
    """Get the step that makes spectrograms, or None."""
    known = [step for step in steps if hasattr(step, "frequencies_")]
    return known[-1] if known else None


def has_maps(classifier):
    """Whether :func:`grad_cam` can explain a fitted classifier."""
    network = getattr(classifier, "model_", None)
    if not hasattr(network, "layers"):
        return False
    import keras

    return keras.backend.backend() == "tensorflow" and bool(_paths_to_maps(network))


def _paths_to_maps(network):
    """Paths from the first convolution to each layer with rows, columns, channels.

    At a merge of layers, the path follows the first input.
    """
    made_by = {id(getattr(each, "output", None)): each for each in network.layers}
    paths = {}
    for layer in network.layers:
        path, each = [], layer
        while each is not None and _n_axes(each) == 4:
            path.insert(0, each)
            before = made_by.get(id(_inputs(each)[0])) if _inputs(each) else None
            each = None if before is each else before
        convolutions = [n for n, each in enumerate(path) if _is_convolution(each)]
        if convolutions:
            paths[layer.name] = path[convolutions[0] :]
    return paths


def _n_axes(layer):
    return len(getattr(getattr(layer, "output", None), "shape", ()))


def _inputs(layer):
    return layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]


def _is_convolution(layer):
    return len(getattr(layer, "kernel_size", ())) == 2


def _choose_path(network, layer):
    """Find the path to a layer, by its number, its name or None."""
    paths = _paths_to_maps(network)
    if not paths:
        raise ValueError(
            "The network has no convolution that makes maps of rows and columns, which "
            "grad_cam needs. Use occlusion, which works with any classifier."
        )
    if isinstance(layer, str):
        if layer not in paths:
            raise ValueError(f"layer={layer!r} is none of {', '.join(paths)}.")
        return paths[layer]
    used = {id(each) for path in paths.values() for each in _inputs(path[-1])}
    ends = [path for path in paths.values() if id(path[-1].output) not in used]
    longest = max(ends, key=len)
    starts = [place for place, each in enumerate(longest) if _is_convolution(each)]
    # A block ends where the next convolution begins.
    blocks = [longest[:end] for end in (*starts[1:], len(longest))]
    if layer is not None:
        if layer > len(blocks):
            raise ValueError(
                f"layer={layer}, but the network has {len(blocks)} convolution blocks. "
                f"Give 1 to {len(blocks)}, or None."
            )
        return blocks[layer - 1]
    smallest = np.minimum(_SMALLEST_MAP, longest[0].input.shape[1:3])
    large = [b for b in blocks if (np.array(b[-1].output.shape[1:3]) >= smallest).all()]
    return large[-1] if large else blocks[0]


def _resizers(path):
    """Matrices that interpolate rows and columns of a map to the image."""
    return [
        _interpolation(_centres(path, axis), np.arange(path[0].input.shape[axis]))
        for axis in (1, 2)
    ]


def _centres(path, axis):
    """Centres of the receptive fields of a map, in pixels of the image."""
    scale, offset = 1.0, 0.0
    for layer in path:
        before, after = _inputs(layer)[0].shape[axis], layer.output.shape[axis]
        window = getattr(layer, "kernel_size", None) or getattr(
            layer, "pool_size", None
        )
        if window is None:  # other layers resize evenly
            offset += scale * (before / after - 1) / 2
            scale *= before / after
            continue
        dilation = getattr(layer, "dilation_rate", (1, 1))[axis - 1]
        size, stride = (window[axis - 1] - 1) * dilation + 1, layer.strides[axis - 1]
        padding = 0
        if layer.padding == "same":
            padding = max((after - 1) * stride + size - before, 0) // 2
        offset += scale * ((size - 1) / 2 - padding)
        scale *= stride
    return scale * np.arange(path[-1].output.shape[axis]) + offset


def _interpolation(known, wanted):
    """Matrix of linear interpolation, constant beyond both ends."""
    columns = [np.interp(wanted, known, unit) for unit in np.eye(len(known))]
    return np.stack(columns, axis=1).astype(np.float32)


class _ScoreGradient:
    """Output of a layer, and the gradient of class scores with respect to it."""

    def __init__(self, network, layer):
        import keras

        self.last = network.layers[-1]
        self.image_shape = network.input_shape[1:]
        if hasattr(self.last, "kernel"):
            features = self.last.input
        else:  # unknown weights: scores from the probabilities
            self.last, features = None, keras.ops.log(network.output + 1e-30)
        self.graph = keras.Model(network.input, [layer.output, features])

    def __call__(self, images, codes):
        import tensorflow as tf

        images = np.asarray(images, dtype=np.float32)
        images = tf.constant(images.reshape(len(images), *self.image_shape))
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            maps, features = self.graph(images, training=False)
            # Without the softmax, which flattens the gradient of confident decisions.
            scores = features
            if self.last is not None:
                scores = tf.matmul(features, self.last.kernel) + self.last.bias
            scores = tf.gather(scores, codes, axis=1, batch_dims=1)
        return maps.numpy(), tape.gradient(scores, maps).numpy()


def class_codes(class_, classes, probability):
    """Column of the explained class, for each beat."""
    if class_ is None:
        return probability.argmax(axis=1)
    labels = classes.tolist()
    if not np.isscalar(class_) or class_ not in labels:
        raise ValueError(
            f"class_={class_!r} is not a class of the classifier. Give one of "
            f"{labels}, or None for the predicted class of each beat."
        )
    return np.full(len(probability), labels.index(class_))


def _on_the_time_axis(heatmap, spectrogram):
    """Project heatmaps on the samples of the beats; return them with the axes."""
    profile = heatmap.mean(axis=1)
    axes = dict.fromkeys(("frequencies", "frame_times", "times"))
    if spectrogram is not None:
        shape = len(spectrogram.frequencies_), len(spectrogram.times_)
        if shape == heatmap.shape[1:]:
            times = sample_times(spectrogram.n_times_, spectrogram.sampling_rate)
            profile = profile @ _interpolation(spectrogram.times_, times).T
            axes = {
                "frequencies": spectrogram.frequencies_,
                "frame_times": spectrogram.times_,
                "times": times,
            }
    return {"time_profile": profile, **axes}


def sample_places(steps, X):
    """Find the columns of samples in a table of beats."""
    spectrogram = spectrogram_step(steps)
    if spectrogram is not None:
        return spectrogram.sample_columns_
    names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
    return sample_columns("auto", X, names)[0]


def sample_times(n_times, sampling_rate):
    return np.arange(n_times) / sampling_rate
