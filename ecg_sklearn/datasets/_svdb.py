"""Loader of the MIT-BIH Supraventricular Arrhythmia Database."""

from pathlib import Path

from sklearn.utils._param_validation import validate_params

from ecg_sklearn.datasets._base import CUT_CONSTRAINTS
from ecg_sklearn.datasets._published import SVDB
from ecg_sklearn.datasets._wfdb import load_wfdb_beats

_CITATION = """\
MIT-BIH Supraventricular Arrhythmia Database 1.0.0, PhysioNet, Open Data Commons
Attribution License 1.0. Cite:
S. D. Greenwald, "Improved detection and classification of arrhythmias in
noise-corrupted electrocardiograms using contextual information", Ph.D. thesis,
Harvard-MIT Division of Health Sciences and Technology, 1990.
A. L. Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation
101(23):e215-e220, 2000."""


@validate_params(
    CUT_CONSTRAINTS
    | {
        "data_home": [str, Path, None],
        "records": ["array-like", None],
        "channel": [str, tuple, list, None],
        "download_if_missing": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_svdb(
    *,
    data_home=None,
    records=None,
    form="window",
    channel=None,
    window=None,
    sampling_rate=None,
    features=None,
    align=None,
    download_if_missing=True,
    return_X_y=False,
):
    """Load the beats of the Supraventricular Arrhythmia Database, downloaded if needed.

    78 half-hour records with two leads, ECG1 and ECG2, at 128 Hz [1]_: 12,196
    supraventricular and 9,939 ventricular beats. Some of its patients are in other
    databases of PhysioNet too.

    Parameters
    ----------
    data_home : str or Path, default=None
        Folder of the records, or its parent if the folder is called ``svdb``. None
        means ``$ECG_SKLEARN_DATA``, or else ``~/ecg_sklearn_data``.
    records : sequence of str, default=None
        Names of the records, from "800" to "894". None takes all 78.
    form : {"window", "kaggle"}, default="window"
        As in :func:`load_wfdb_beats`.
    channel : str or sequence of str, default=None
        Name of the signal; of several names, the first that a record has. None means
        "ECG1".
    window, sampling_rate, features, align : object
        As in :func:`load_wfdb_beats`.
    download_if_missing : bool, default=True
        Download missing files from PhysioNet, about 53 MB in all. Each file is written
        under a temporary name, checked against its SHA-256 sum, then renamed. An
        interrupted download can be continued.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        The fields of :func:`fetch_mitbih`. ``rhythms`` is "": rhythms are annotated in
        one record alone. The headers of half of the records state no gain: their
        amplitude in mV is that of the default of the format, 200 units per mV.

    Raises
    ------
    OSError
        If files are missing and are not downloaded, or ``data_home`` is a folder of
        other files. Nothing is downloaded into such a folder.
    ValueError
        If a file differs from the published one, or as in :func:`load_wfdb_beats`.

    References
    ----------
    .. [1] S. D. Greenwald, "Improved detection and classification of arrhythmias in
       noise-corrupted electrocardiograms using contextual information", Ph.D. thesis,
       Harvard-MIT Division of Health Sciences and Technology, 1990.
    """
    directory = SVDB.provide(data_home, download=download_if_missing)
    beats = load_wfdb_beats(
        directory,
        records=records,
        form=form,
        channel="ECG1" if channel is None else channel,
        window=window,
        sampling_rate=sampling_rate,
        features=features,
        align=align,
    )
    beats.DESCR = f"{beats.DESCR}\n{_CITATION}"
    return (beats.data, beats.target) if return_X_y else beats
