"""Records and subjects on both sides of a split."""

import warnings

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions, validate_params

from ecg_sklearn.utils._validation import flat_array

# The 48 records of the MIT-BIH database come from 47 subjects. Loaders of several
# databases name a record with its folder.
_SHARED_SUBJECTS = dict.fromkeys(("201", "202", "mitdb/201", "mitdb/202"), "201/202")


def subject_of(groups):
    """Name the subject of each record of the MIT-BIH Arrhythmia Database.

    The 48 records come from 47 subjects: 201 and 202 are the same man [1]_. Every
    other record is its own subject.

    Parameters
    ----------
    groups : array-like of shape (n_beats,)
        Record of each beat. Numbers are read as names: 100 is "100".

    Returns
    -------
    ndarray of str of shape (n_beats,)
        Subject of each beat: "201/202", or the name of the record.

    Raises
    ------
    ValueError
        If ``groups`` is missing.

    References
    ----------
    .. [1] G. B. Moody, R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database",
       IEEE Engineering in Medicine and Biology 20(3), 2001.

    Examples
    --------
    >>> from ecg_sklearn.model_selection import subject_of
    >>> subject_of(["200", "201", "202"]).tolist()
    ['200', '201/202', '201/202']
    """
    records, record = np.unique(record_names(groups, "subject_of"), return_inverse=True)
    subjects = [_SHARED_SUBJECTS.get(name, name) for name in records.tolist()]
    return np.array(subjects, dtype=str)[record]


@validate_params(
    {
        "groups_train": ["array-like", None],
        "groups_test": ["array-like", None],
        "subjects": [callable, None],
        "on_leak": [StrOptions({"raise", "warn", "return"})],
    },
    prefer_skip_nested_validation=True,
)
def check_no_leakage(
    groups_train, groups_test, *, subjects=subject_of, on_leak="raise"
):
    """Check that no record and no subject is on both sides of a split.

    Parameters
    ----------
    groups_train : array-like of shape (n_train,)
        Record of each training beat.
    groups_test : array-like of shape (n_test,)
        Record of each test beat.
    subjects : callable or None, default=subject_of
        Maps an array of records to their subjects. The default is for the MIT-BIH
        database. None treats each record as a subject: use it for other databases that
        have records "201" and "202".
    on_leak : {"raise", "warn", "return"}, default="raise"
        Whether a leak raises an error, warns, or is only returned.

    Returns
    -------
    Bunch
        ``records``, list of the records on both sides; ``subjects``, dict of each
        subject on both sides to a pair of lists, its training and its test records;
        ``message``, which names them, empty without a leak.

    Raises
    ------
    ValueError
        If there is a leak and ``on_leak="raise"``, or ``groups`` is missing.

    Warns
    -----
    UserWarning
        If there is a leak and ``on_leak="warn"``.

    See Also
    --------
    InterPatientSplit : Its default split has subject 201/202 on both sides.

    Examples
    --------
    >>> from ecg_sklearn.aami import DS1, DS2
    >>> from ecg_sklearn.model_selection import check_no_leakage
    >>> report = check_no_leakage(DS1, DS2, on_leak="return")
    >>> report.records, report.subjects
    ([], {'201/202': (['201'], ['202'])})
    """
    sides = []
    for groups, name in ((groups_train, "groups_train"), (groups_test, "groups_test")):
        records = np.unique(record_names(groups, "check_no_leakage", name))
        of_subject = {}
        owners = records if subjects is None else subjects(records)
        for record, subject in zip(records.tolist(), owners, strict=True):
            of_subject.setdefault(str(subject), []).append(record)
        sides.append(of_subject)
    train, test = sides
    both = {name: (train[name], test[name]) for name in sorted(train.keys() & test)}
    shared = sorted(
        record for first, second in both.values() for record in set(first) & set(second)
    )
    message = _leakage_message(shared, both)
    if message and on_leak == "raise":
        raise ValueError(message)
    if message and on_leak == "warn":
        warnings.warn(message, UserWarning, stacklevel=2)
    return Bunch(records=shared, subjects=both, message=message)


def _leakage_message(records, subjects):
    """Describe a leak and what to do."""
    if not subjects:
        return ""
    return (
        f"Records on both sides of the split: {listed(records) or 'none'}. Subjects on "
        f"both sides: {', '.join(_both_sides(subjects))}. Their test beats measure "
        "memory, not skill. Split by subject, for example with "
        "record_train_test_split(groups=subject_of(groups)), or leave these records "
        "out of one side."
    )


def _both_sides(subjects):
    """Name subjects, with their records if the names differ."""
    return [
        f"{name!r}"
        if train == test == [name]
        else f"{name!r} (training: {', '.join(train)}; test: {', '.join(test)})"
        for name, (train, test) in subjects.items()
    ]


def leakage_note(groups_train, groups_test):
    """Describe which patients are in both training and evaluation (``message``).

    ``is_clean`` is False with a leak, None if records are unknown (None).
    """
    for groups, whose in ((groups_test, "these"), (groups_train, "the training")):
        if groups is None:
            message = (
                f"Patients on both sides: unknown. The records of {whose} beats are "
                "not known. Beats of a patient that was trained on are easier."
            )
            return Bunch(is_clean=None, message=message)
    sides = [record_names(side, "leakage_note") for side in (groups_train, groups_test)]
    has_database = [np.char.find(side, "/").max() >= 0 for side in sides]
    if has_database[0] != has_database[1]:  # only the names of the records can agree
        groups_train, groups_test = (
            [name.rpartition("/")[2] for name in np.unique(side)] for side in sides
        )
    found = check_no_leakage(groups_train, groups_test, on_leak="return")
    if not found.subjects:
        message = "No record and no subject is in both training and these beats."
        return Bunch(is_clean=True, message=message)
    names, n_test = _both_sides(found.subjects), len(np.unique(subject_of(groups_test)))
    message = (
        f"{len(names)} of the {n_test} patients here were trained on: "
        f"{_first(names, 5)}. For them, the scores measure memory as well as skill."
    )
    return Bunch(is_clean=False, message=message)


def record_names(groups, caller, parameter="groups"):
    """Return the record of each beat as str, given as names or numbers."""
    if groups is None:
        raise ValueError(
            f"{caller} needs {parameter}, the record of each beat, and got None. Beats "
            "of one record cannot be kept on one side without it. Data sets of "
            "ecg_sklearn.datasets that know the records have Bunch.groups."
        )
    names = flat_array(groups, parameter, column=True)
    if names.size == 0:
        raise ValueError(f"{parameter} is empty. Give the record of each beat.")
    # pandas reads record 100 as 100.0 if values are missing.
    if names.dtype.kind == "f" and (np.abs(names) < 2**53).all():
        whole = names.astype(np.int64)
        names = whole if (whole == names).all() else names
    return names.astype(str)


def listed(names, most=None):
    """List names in quotes, with the number of names left out."""
    return _first([repr(name) for name in names], most or len(names))


def _first(names, most):
    hidden = len(names) - most
    return ", ".join(names[:most]) + (f" and {hidden} more" if hidden > 0 else "")
