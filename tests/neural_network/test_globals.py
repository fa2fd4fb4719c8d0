"""What surrounds a network: variables of the environment and settings of Keras."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("own", "expected"), [(None, "1"), ("0", "0")])
def test_onednn_is_on_unless_a_user_turns_it_off(own, expected):
    env = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    if own is not None:
        env["TF_ENABLE_ONEDNN_OPTS"] = own
    script = "import ecg_sklearn, os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == expected
