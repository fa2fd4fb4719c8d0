"""Output that is whole or not there, and never at the cost of what was there before."""

import os

import pytest

from ecg_sklearn.utils._files import new_file, new_folder


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_moved_into_place(tmp_path):
    with new_folder(tmp_path / "a" / "out", False) as folder:
        (folder / "model").write_text("new")
        assert not (tmp_path / "a" / "out").exists()
    assert contents(tmp_path) == {"a/out/model": "new"}


def test_overwriting_leaves_other_files_alone(tmp_path):
    out = tmp_path / "out"
    (out / "other").mkdir(parents=True)
    (out / "other" / "model").write_text("of another run")
    (out / "thesis").write_text("mine")
    (out / "model").write_text("old")
    with new_folder(out, True) as folder:
        (folder / "model").write_text("new")
    assert contents(out) == {
        "model": "new",
        "thesis": "mine",
        "other/model": "of another run",
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_failure_leaves_what_was_there(tmp_path, error, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "model").write_text("old")

    def fail():
        with new_folder(out, True) as folder:
            (folder / "model").write_text("new")
            raise error

    with pytest.raises(error):
        fail()
    assert contents(tmp_path) == {"out/model": "old"}

    def fail_to_move(*args):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail_to_move)

    def finish():
        with new_folder(out, True) as folder:
            (folder / "model").write_text("new")

    with pytest.raises(OSError, match="no"):
        finish()
    assert contents(tmp_path) == {"out/model": "old"}


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "table.csv"

    def fail():
        with new_file(path) as unfinished:
            unfinished.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert contents(tmp_path) == {}
    with new_file(path) as unfinished:
        unfinished.write_text("whole")
    assert contents(tmp_path) == {"table.csv": "whole"}
    assert path.stat().st_mode & 0o444
