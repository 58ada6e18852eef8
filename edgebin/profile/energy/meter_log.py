"""Reads the log of an external power meter, a CSV file, into power over the meter's own time."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from edgebin.errors import InputError
from edgebin.profile.energy.meter_columns import Columns, columns_of, is_header

Array = NDArray[np.float64]

_HEADER_LINES = 100
_CHUNK_ROWS = 200_000
_KEPT_HZ = 1000.0
# Seconds, ms, µs and ns since 1970, of times from 2001 on.
_EPOCHS = ((1e9, 1e11, 1.0), (1e12, 1e14, 1e-3), (1e15, 1e17, 1e-6), (1e18, 1e20, 1e-9))


@dataclass(frozen=True)
class MeterLog:
    """`seconds` float64 [n], rising from 0, by the meter's clock; `watts` float64 [n].

    `epoch_ns` is the first sample's time since 1970, None where the log has only relative times. `hz` is the meter's
    own rate: where it is high, samples are averaged to some 1000 a second.
    """

    seconds: Array
    watts: Array
    epoch_ns: int | None
    hz: float


@dataclass(frozen=True)
class _Table:
    """The rows under a header, and how to read one."""

    name: str
    rows: Iterator[str]
    first_line: int
    delimiter: str
    columns: Columns
    decimal_comma: bool


def read_meter_log(path: Path, *, volts: float | None = None) -> MeterLog:
    """Reads a log with a header that names time and power, or time, voltage and current, with their units.

    Times may be relative, since 1970, or ISO 8601; those without a time zone count as relative. `volts` is the supply's
    voltage, for a log that has only current.

    Raises:
        InputError: the file cannot be read or understood; the message says what was found.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            return _read(stream, path.name, volts)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error


def _read(stream: TextIO, name: str, volts: float | None) -> MeterLog:
    delimiter, columns, first_line = _header(stream, name)
    if columns.power is None and columns.voltage is None and volts is None:
        raise InputError(
            f"`{name}` has current but neither voltage nor power",
            hint="say at which voltage the board was supplied: `--volts 5.1`",
        )
    first = next((line for line in stream if line.strip()), "")
    comma = delimiter != "," and "," in first
    table = _Table(name, itertools.chain([first], stream), first_line, delimiter, columns, comma)
    cells = next(csv.reader([first], delimiter=delimiter), [])
    cell = cells[columns.time.index] if columns.time.index < len(cells) else ""
    dated = bool(cell) and _number(cell.replace(",", ".") if comma else cell) is None
    times, watts, hz = _gather(_chunks(table, _moment if dated else float), columns, volts)
    if times.size < 2:
        raise InputError(f"`{name}` has fewer than two rows of figures")
    scale, absolute = _time_scale(float(times[0]), 1.0 if dated else columns.time.scale)
    absolute = absolute and (not dated or datetime.fromisoformat(cell.strip()).tzinfo is not None)
    seconds = (times - times[0]) * scale
    if np.any(np.diff(seconds) < 0):
        raise InputError(f"the times in `{name}` go back", hint="export one recording only")
    new = np.concatenate(([True], np.diff(seconds) > 0))
    epoch_ns = round(float(times[0]) * scale * 1e9) if absolute else None
    return MeterLog(seconds[new], watts[new], epoch_ns, hz / scale)


def _header(stream: TextIO, name: str) -> tuple[str, Columns, int]:
    """The delimiter, the columns, and the number of the line behind the header."""
    seen = []
    for number, line in enumerate(itertools.islice(stream, _HEADER_LINES), 1):
        for delimiter in (",", ";", "\t"):
            fields = next(csv.reader([line], delimiter=delimiter), [])
            if len(fields) > 1 and is_header(fields):
                return delimiter, columns_of(fields), number + 1
        seen.append(line.strip())
    shown = next((line for line in seen if line), "")[:100]
    raise InputError(
        f"`{name}` is no log of a power meter that is known: no line names time and power; it begins with {shown!r}",
        hint="a CSV file whose header names time and power, or time, voltage and current: `time (s),power (W)`",
    )


def _chunks(table: _Table, time_of: Callable[[str], float]) -> Iterator[Array]:
    """Rows of the columns that are wanted, in the order time, power, voltage, current; many at once."""
    wanted = (table.columns.time, table.columns.power, table.columns.voltage, table.columns.current)
    usecols = [column.index for column in wanted if column is not None]
    line = table.first_line
    while lines := list(itertools.islice(table.rows, _CHUNK_ROWS)):
        texts = [text.replace(",", ".") for text in lines] if table.decimal_comma else lines
        if not any(text.strip() for text in texts):
            continue
        try:
            yield np.loadtxt(
                texts,
                delimiter=table.delimiter,
                usecols=usecols,
                quotechar='"',
                ndmin=2,
                converters=None if time_of is float else {table.columns.time.index: time_of},
                encoding=None,
            )
        except ValueError as error:
            raise InputError(f"`{table.name}`, {_first_bad(table, texts, usecols, time_of, line)}") from error
        line += len(lines)


def _first_bad(table: _Table, texts: list[str], usecols: list[int], time_of: Callable[[str], float], line: int) -> str:
    for number, text in enumerate(texts, line):
        cells = next(csv.reader([text], delimiter=table.delimiter), [])
        try:
            for column in usecols if cells else ():
                (time_of if column == table.columns.time.index else float)(cells[column])
        except (ValueError, IndexError):
            return f"line {number} is not a row of figures: {text.strip()[:100]!r}"
    return "its rows are not of one shape"


def _gather(chunks: Iterator[Array], columns: Columns, volts: float | None) -> tuple[Array, Array, float]:
    """Times as they stand, watts, and samples in a unit of those times."""
    times, watts = [], []
    rows, block = 0, 0
    first = last = 0.0
    for chunk in chunks:
        power = _watts(chunk, columns, volts)
        read = np.isfinite(power) & np.isfinite(chunk[:, 0])
        t, power = chunk[read, 0], power[read]
        if t.size == 0:
            continue
        if rows == 0:
            first = float(t[0])
            block = _block(t, columns)
        rows, last = rows + t.size, float(t[-1])
        starts = np.arange(0, t.size, block)
        counts = np.diff(np.append(starts, t.size))
        # The offset keeps the digits of times since 1970.
        times.append(np.add.reduceat(t - t[0], starts) / counts + t[0])
        watts.append(np.add.reduceat(power, starts) / counts)
    if rows < 2 or last <= first:
        return np.empty(0), np.empty(0), 0.0
    return np.concatenate(times), np.concatenate(watts), (rows - 1) / (last - first)


def _block(times: Array, columns: Columns) -> int:
    """How many samples to average."""
    if times.size < 2:
        return 1
    scale, _ = _time_scale(float(times[0]), columns.time.scale)
    distance_s = float(times[-1] - times[0]) * scale / (times.size - 1)
    return max(1, int(1.001 / (_KEPT_HZ * distance_s))) if distance_s > 0 else 1


def _watts(chunk: Array, columns: Columns, volts: float | None) -> Array:
    rest: Iterator[Array] = iter(chunk.T[1:])
    wanted = (columns.power, columns.voltage, columns.current)
    power, voltage, current = (None if c is None else next(rest) * (c.scale or 1.0) for c in wanted)
    if power is not None:
        return power
    assert current is not None
    return current * voltage if voltage is not None else current * (volts or 0.0)


def _time_scale(first: float, scale: float | None) -> tuple[float, bool]:
    """Seconds for one of the log's times, and whether these count from 1970. Without a unit they are seconds."""
    if scale is not None:
        return scale, 1e9 < first * scale < 1e11
    for low, high, epoch_scale in _EPOCHS:
        if low < first < high:
            return epoch_scale, True
    return 1.0, False


def _moment(text: str) -> float:
    """Seconds since 1970; a time without a zone as if it were of UTC."""
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
