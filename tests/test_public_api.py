"""Names, floors and weight: what is public, who may import whom, what loads what."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import ecg_sklearn

PACKAGE = Path(ecg_sklearn.__file__).parent
MODULES = {
    "aami": {
        "CLASS_DESCRIPTIONS",
        "CLASS_NAMES",
        "DS1",
        "DS2",
        "ESCAPE_SYMBOLS",
        "MITBIH_RECORDS",
        "PACED_RECORDS",
        "SYMBOLS",
        "SYMBOL_TO_CLASS",
        "symbol_classes",
    },
    "analysis": {"RecordingAnalysis", "StreamAnalyzer", "analyze", "analyze_beats"},
    "datasets": {
        "cut_beats",
        "fetch_mitbih",
        "fetch_svdb",
        "iter_beats",
        "load_heartbeat_csv",
        "load_wfdb_beats",
        "make_heartbeats",
        "make_recording",
    },
    "detection": {"BeatDetector", "align_beats", "detect_beats", "signal_quality"},
    "ensemble": {
        "CalibratedRecordClassifier",
        "PatientClassifier",
        "PriorShiftClassifier",
        "RefinedClassifier",
        "ReweightedClassifier",
        "SecondPassClassifier",
        "SoftVotingClassifier",
    },
    "features": {
        "CAUSAL_GROUPS",
        "FEATURE_GROUPS",
        "MODE_GROUPS",
        "RECORD_GROUPS",
        "morphology_features",
        "record_rr_features",
        "record_waves_features",
        "rhythm_features",
        "rr_features",
    },
    "exporting": {"ExportReport", "ExportedGraph", "export", "load_graph"},
    "inspection": {"BeatExplanationDisplay", "grad_cam", "occlusion"},
    "io": {"Recording", "read_recording"},
    "metrics": {
        "AAMIReport",
        "BootstrapInterval",
        "Evaluation",
        "Matches",
        "aami_jk_score",
        "aami_report",
        "bootstrap_ci",
        "bootstrap_difference",
        "ec57_report",
        "expected_calibration_error",
        "get_aami_scorers",
        "match_beats",
        "mcnemar_test",
    },
    "model_selection": {
        "InterPatientSplit",
        "check_no_leakage",
        "record_train_test_split",
        "subject_of",
    },
    "models": {"list_models", "load_model", "model_card"},
    "neural_network": {"NetworkFromConfig", "SpectrogramCNNClassifier"},
    "over_sampling": {"EpisodeSampler", "PresentClasses"},
    "persistence": {"VersionWarning", "load", "read_metadata", "save"},
    "pipeline": {
        "PRESETS",
        "make_calibrated_trees",
        "make_ecg_ensemble",
        "make_ecg_pipeline",
        "make_record_ensemble",
    },
    "plotting": {
        "BeatsDisplay",
        "ClassDistributionDisplay",
        "SpectrogramsDisplay",
        "TrainingHistoryDisplay",
    },
    "preprocessing": {"BeatScaler", "SpectrogramTransformer"},
    "report": {"make_report"},
    "streaming": {"fit_stream"},
}
FLOORS = {
    "aami": 0,
    "utils": 0,
    "features": 1,
    "preprocessing": 1,
    "io": 1,
    "detection": 1,
    "metrics": 1,
    "model_selection": 1,
    "plotting": 1,
    "datasets": 2,
    "over_sampling": 2,
    "neural_network": 2,
    "ensemble": 2,
    "inspection": 3,
    "pipeline": 3,
    "persistence": 3,
    "streaming": 3,
    "exporting": 3,
    "models": 4,
    "report": 4,
    "analysis": 5,
    "cli": 6,
    "__main__": 7,
}

# Modules that are imported where they are used, and not with the package.
KERAS_AT_THE_TOP = {
    "exporting/_formats.py",
    "neural_network/_callbacks.py",
    "neural_network/_device.py",
    "neural_network/_graph.py",
    "neural_network/_network.py",
    "neural_network/_prediction.py",
    "neural_network/_saved_network.py",
    "neural_network/_training.py",
}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_public_names(module):
    found = importlib.import_module(f"ecg_sklearn.{module}")
    assert found.__all__ == sorted(found.__all__)
    assert set(found.__all__) == MODULES[module]
    for name in found.__all__:
        assert getattr(found, name).__doc__ or isinstance(
            getattr(found, name), (dict, tuple)
        )


def test_names_of_the_package():
    assert ecg_sklearn.__all__ == sorted(ecg_sklearn.__all__)
    assert dir(ecg_sklearn) == ecg_sklearn.__all__
    for name in ecg_sklearn.__all__:
        assert getattr(ecg_sklearn, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ecg_sklearn.nothing


def test_a_module_imports_from_lower_floors_alone():
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if place == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            parts = node.module.split(".")
            if parts[0] != "ecg_sklearn":
                continue
            targets = parts[1:2] or [alias.name for alias in node.names]
            for target in targets:
                if target in (place, "__version__"):
                    continue
                assert FLOORS[target] < FLOORS[place], f"{path.name} imports {target}"


def test_keras_is_imported_at_the_top_of_few_modules():
    for path in PACKAGE.rglob("*.py"):
        top = [
            alias.name if isinstance(node, ast.Import) else node.module
            for node in ast.parse(path.read_text()).body
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        ]
        heavy = {"keras", "tensorflow"} & {name.split(".")[0] for name in top if name}
        assert not heavy or path.relative_to(PACKAGE).as_posix() in KERAS_AT_THE_TOP


def loaded_by(statement):
    script = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_importing_the_package_is_light():
    loaded = loaded_by("import ecg_sklearn")
    assert not loaded & {"tensorflow", "keras", "scikeras", "sklearn", "pandas", "wfdb"}


@pytest.mark.parametrize(
    "statement",
    [
        "from ecg_sklearn.datasets import make_heartbeats as m; m(9, n_records=1)",
        "from ecg_sklearn import SpectrogramTransformer",
        "import ecg_sklearn.analysis",
        "import ecg_sklearn.ensemble",
        "import ecg_sklearn.plotting",
        "import ecg_sklearn.metrics",
        "import ecg_sklearn.model_selection",
        "import ecg_sklearn.inspection",
        "from ecg_sklearn.cli._parser import make_parser; make_parser()",
    ],
)
def test_what_needs_no_network_loads_no_tensorflow(statement):
    loaded = loaded_by(statement)
    assert not loaded & {"tensorflow", "keras", "scikeras", "matplotlib"}


def test_the_package_is_typed_and_versioned():
    from importlib.metadata import version

    assert (PACKAGE / "py.typed").is_file()
    assert version("ecg-sklearn") == ecg_sklearn.__version__
