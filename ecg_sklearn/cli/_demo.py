"""The command ``demo``."""

from ecg_sklearn.cli._train import train


def demo(**options):
    """Train on simulated beats, patients apart.

    Parameters
    ----------
    **options : object
        The options of ``train`` that ``demo`` has as well.
    """
    train(
        data="simulated",
        test_data=None,
        protocol="inter-patient",
        form="kaggle",
        window=None,
        features=[],
        rhythm=False,
        copies=0,
        **options,
    )
    print("These beats are simulated: the scores say nothing about real patients.")
