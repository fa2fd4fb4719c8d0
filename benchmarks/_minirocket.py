"""MiniRocket and a ridge classifier, without ever holding all of its features.

9,996 features of 87,554 beats are 3.5 GB, and ``RidgeClassifierCV`` makes several
copies of them in float64. Ridge regression needs their products with each other alone,
which are summed up here over parts of the beats. Needs aeon.
"""

import numpy as np
import scipy.linalg
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

PART = 4096


class Sums:
    """Sums over beats of the products of features, and of features with targets.

    Parameters
    ----------
    n_features : int
        Columns of the features.
    n_classes : int
        Columns of the targets, -1 or 1.
    """

    def __init__(self, n_features, n_classes):
        self.n = 0
        self.x = np.zeros(n_features)
        self.t = np.zeros(n_classes)
        self.xx = np.zeros((n_features, n_features))
        self.xt = np.zeros((n_features, n_classes))

    def add(self, features, targets):
        """Add some beats: (n_beats, n_features) and (n_beats, n_classes)."""
        self.n += len(features)
        features = features.astype(float)  # the smallest alpha drowns in float32
        self.x += features.sum(axis=0)
        self.t += targets.sum(axis=0)
        self.xx += features.T @ features
        self.xt += features.T @ targets

    def centred(self):
        """Mean, scale, products of the standardised features, and with targets."""
        mean, mean_t = self.x / self.n, self.t / self.n
        variance = np.maximum(np.diag(self.xx) / self.n - mean**2, 0)
        # As StandardScaler: a constant feature is left as it is.
        scale = np.where(variance > 1e-12, np.sqrt(variance), 1.0)
        xx = self.xx - self.n * np.outer(mean, mean)
        xx /= scale[:, None]
        xx /= scale
        xt = (self.xt - self.n * np.outer(mean, mean_t)) / scale[:, None]
        return mean, scale, xx, xt


def solve_ridge(sums, alphas):
    """Coefficients and intercept on features as they are, for each alpha.

    Parameters
    ----------
    sums : Sums
        Of the beats to train on.
    alphas : sequence of float
        Strengths of regularisation, on standardised features.

    Yields
    ------
    tuple of ndarray (n_features, n_classes) and ndarray (n_classes,)
        Coefficients and intercept.
    """
    mean, scale, xx, xt = sums.centred()
    diagonal = np.diag(xx).copy()
    for alpha in alphas:
        np.fill_diagonal(xx, diagonal + alpha)
        coef = scipy.linalg.solve(xx, xt, assume_a="pos") / scale[:, None]
        yield coef, sums.t / sums.n - mean @ coef


class MiniRocketRidge:
    """MiniRocket's features and ridge regression of each class against the rest.

    The strength of regularisation is the one of aeon's ten that is right most often on
    a tenth of the training beats; then all of them are used.

    Parameters
    ----------
    seed : int
        Seed of the biases, and of that tenth.
    n_kernels : int, default=10_000
        About how many features; fewer for a trial.
    """

    def __init__(self, seed, *, n_kernels=10_000):
        self.seed = seed
        self.n_kernels = n_kernels
        self.alphas = np.logspace(-3, 3, 10)

    def fit(self, X, y):
        """Fit features, choose alpha, fit the ridge."""
        try:
            from aeon.transformations.collection.convolution_based import MiniRocket
        except ImportError as error:
            raise ImportError(
                "MiniRocket is aeon's, which is not installed: pip install aeon"
            ) from error
        self.classes_ = np.unique(y)
        self.rocket = MiniRocket(self.n_kernels, random_state=self.seed)
        self.rocket.fit(X[:PART, None])
        rows = np.arange(len(y))
        rows, held_out = train_test_split(
            rows, test_size=0.1, stratify=y, random_state=self.seed
        )
        sums = self._sum(X, y, rows)
        known = list(self._features(X[held_out]))
        tried = []
        for solution in solve_ridge(sums, self.alphas):
            self.coef_, self.intercept_ = solution
            tried.append(accuracy_score(y[held_out], self._classify(known)))
        self.alpha_ = self.alphas[np.argmax(tried)]
        self._sum(X, y, held_out, sums)
        self.coef_, self.intercept_ = next(solve_ridge(sums, [self.alpha_]))
        return self

    def predict(self, X):
        """Classes of the highest score."""
        return self._classify(self._features(X))

    def _classify(self, parts):
        scores = [part @ self.coef_ + self.intercept_ for part in parts]
        return self.classes_[np.concatenate(scores).argmax(axis=1)]

    def _features(self, X):
        for start in range(0, len(X), PART):
            part = np.ascontiguousarray(X[start : start + PART, None], dtype=np.float32)
            yield np.asarray(self.rocket.transform(part), dtype=np.float32)

    def _sum(self, X, y, rows, sums=None):
        targets = np.where(y[rows, None] == self.classes_, 1.0, -1.0)
        start = 0
        for features in self._features(X[rows]):
            if sums is None:
                sums = Sums(features.shape[1], len(self.classes_))
            stop = start + len(features)
            sums.add(features, targets[start:stop])
            start = stop
        return sums
