"""The command ``demo``."""

from ecg_sklearn.cli._train import train


def demo(**options):
    """Train on simulated beats, patients apart."""
    train(
        data=["simulated"],
        test_data=None,
        records=None,
        annotator="atr",
        lead=None,
        align="peak",
        protocol="inter-patient",
        form="kaggle",
        window=None,
        features=[],
        rhythm=False,
        offline=False,
        preset=None,
        copies=0,
        **options,
    )
    print("These beats are simulated: the scores say nothing about real patients.")
