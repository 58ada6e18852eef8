"""`.npz` files as the runner reads and writes them: not compressed, and the same arrays give the same bytes."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebin.errors import InputError

_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def npz_bytes(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """What `numpy.savez` writes, without the time of day in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _TIMESTAMP), member.getvalue())
    return buffer.getvalue()


def read_npz(path: Path) -> dict[str, NDArray[np.generic]]:
    """All arrays of a `.npz` file. Pickled objects are refused.

    Raises:
        InputError: no such file, damaged, or not plain arrays.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise InputError(f"`{path}` is a single .npy array, not a .npz file")
        with loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"cannot read arrays from `{path}`: {error}") from error
    if foreign := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise InputError(f"`{path}` holds `{foreign[0]}`, which is not an array")
    return arrays
