"""Display of the training history."""

from ecg_sklearn.plotting._drawing import COLORS, tidy

__all__ = ["TrainingHistoryDisplay"]

# Line styles and markers distinguish the two in grey.
_TRAINING = {"color": COLORS[0], "ls": "-", "marker": "o", "label": "training"}
_VALIDATION = {"color": COLORS[4], "ls": "--", "marker": "s", "label": "validation"}


class TrainingHistoryDisplay:
    """Loss, accuracy and learning rate over the epochs of a training.

    Parameters
    ----------
    history : dict of str to list of float
        As ``SpectrogramCNNClassifier.history_``: "loss", "accuracy",
        "learning_rate", and with validation "val_loss" and "val_accuracy".
    best_epoch : int or None, default=None
        Epoch to mark, counted from 1.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (3,)
        Axes of loss, accuracy and learning rate.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> from ecg_sklearn.plotting import TrainingHistoryDisplay
    >>> history = {
    ...     "loss": [0.9, 0.4], "accuracy": [0.7, 0.9], "learning_rate": [1e-3, 1e-4]
    ... }
    >>> display = TrainingHistoryDisplay(history)
    """

    def __init__(self, history, *, best_epoch=None):
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, axes=None):
        """Draw the history of a fitted classifier, or of the last step of a pipeline.

        Parameters
        ----------
        estimator : SpectrogramCNNClassifier or Pipeline
            Fitted.
        axes : sequence of three matplotlib.axes.Axes or None, default=None
            Axes to draw on. None makes a figure.

        Returns
        -------
        TrainingHistoryDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the estimator has no history.
        """
        classifier = estimator[-1] if hasattr(estimator, "steps") else estimator
        history = getattr(classifier, "history_", None)
        if not history:
            raise ValueError(
                f"{type(classifier).__name__} has no history_. Fit it first."
            )
        marked = classifier.best_epoch_ if "val_loss" in history else None
        return cls(history, best_epoch=marked).plot(axes)

    def plot(self, axes=None):
        """Draw the display.

        Parameters
        ----------
        axes : sequence of three matplotlib.axes.Axes or None, default=None
            Axes to draw on. None makes a figure.

        Returns
        -------
        TrainingHistoryDisplay
            This display.
        """
        import matplotlib.pyplot as plt
        import numpy as np
        from matplotlib.ticker import MaxNLocator

        own_figure = axes is None
        if own_figure:
            _, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
        epochs = np.arange(1, len(self.history["loss"]) + 1)
        titles = {
            "loss": "Loss (cross-entropy)",
            "accuracy": "Accuracy",
            "learning_rate": "Learning rate",
        }
        for ax, (key, title) in zip(axes, titles.items(), strict=True):
            for name, style in ((key, _TRAINING), (f"val_{key}", _VALIDATION)):
                if name in self.history:
                    ax.plot(epochs, self.history[name], ms=4, **style)
            if self.best_epoch is not None:
                label = f"lowest validation loss (epoch {self.best_epoch})"
                ax.axvline(self.best_epoch, color="0.5", lw=1, ls=":", label=label)
            ax.set(xlabel="Epoch", title=title)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            tidy(ax, "both")
        axes[2].ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        self.axes_ = np.asarray(axes)
        self.figure_ = axes[0].figure
        if own_figure:  # below all three, where it hides no curve
            handles, labels = axes[0].get_legend_handles_labels()
            self.figure_.legend(
                handles, labels, loc="outside lower center", ncols=3, frameon=False
            )
        else:
            axes[0].legend(frameon=False, fontsize="small")
        return self
