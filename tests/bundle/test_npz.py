"""`.npz` files: deterministic, readable by numpy, plain arrays only."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgebin.bundle import npz_bytes, read_npz
from edgebin.errors import InputError


def test_numpy_reads_it(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b.c/d": np.float32([[1.5]])}
    loaded = np.load(io.BytesIO(npz_bytes(arrays)))
    for name, array in arrays.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def test_time_of_day_is_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"a": np.zeros(3, np.float32)}
    first = npz_bytes(arrays)
    monkeypatch.setattr(time, "localtime", lambda *_: (2031, 1, 1, 1, 1, 1, 0, 0, 0))
    assert npz_bytes(arrays) == first


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.array([{"code": 1}], dtype=object))
    with pytest.raises(InputError, match=r"x\.npz"):
        read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", b"\x80\x04."])
def test_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npz"):
        read_npz(tmp_path / "x.npz")


def test_single_array(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(InputError, match="single"):
        read_npz(tmp_path / "x.npy")


def test_something_else_in_the_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match=r"readme\.txt"):
        read_npz(tmp_path / "x.npz")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_npz(tmp_path / "x.npz")
