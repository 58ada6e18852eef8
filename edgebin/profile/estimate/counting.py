"""Exact counts of the AArch64 instructions a guest program executes under QEMU, per region it marks.

The counting is done by our plugin (kernels/profiler/counter.c), which says how a program marks regions and what its
output file looks like. Counts say nothing about time; `edgebin.profile.estimate.cycles` turns them into an estimate.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgebin.errors import MeasurementInvalid, ToolchainError

# Region numbers, as kernels/profiler/counter.c has them. Region i + 1 is function i of the marked program.
OUTSIDE = 0
INFERENCE = 0x10000
_MAGIC = b"EBCOUNT1"


@dataclass(frozen=True)
class Block:
    """A translation block: straight-line code that ran from its first instruction to its last."""

    address: int
    words: tuple[int, ...]

    @property
    def end(self) -> int:
        """The address behind its last instruction."""
        return self.address + 4 * len(self.words)


@dataclass(frozen=True)
class Region:
    """What ran while a region was current: `executions` maps an index into `Counts.blocks` to how often it ran.

    `entries`: how often a mark named it; of region `INFERENCE`, the number of marked inferences.
    """

    id: int
    entries: int
    executions: Mapping[int, int]


@dataclass(frozen=True)
class Counts:
    """One counted process, by region."""

    blocks: tuple[Block, ...]
    regions: Mapping[int, Region]

    @property
    def inferences(self) -> int:
        """How many inferences the program marked."""
        return self.regions[INFERENCE].entries if INFERENCE in self.regions else 0

    @property
    def inference_regions(self) -> tuple[int, ...]:
        """The regions that together are all marked inferences."""
        return tuple(region_id for region_id in self.regions if region_id != OUTSIDE)

    def block_counts(self, region_ids: Iterable[int]) -> Counter[tuple[int, ...]]:
        """How often each distinct block (its instruction words) ran in the given regions together."""
        counts: Counter[tuple[int, ...]] = Counter()
        for block, executions in self.located_counts(region_ids).items():
            counts[block.words] += executions
        return counts

    def located_counts(self, region_ids: Iterable[int]) -> dict[Block, int]:
        """How often each block ran in the given regions together, with blocks whole that the emulator cut.

        QEMU ends a block where a page of memory ends, and where its buffer for translated code is full, which is after
        some 130 vector instructions. The parts of a long loop would not be seen to be one.
        """
        counts: Counter[Block] = Counter()
        for region_id in region_ids:
            for index, executions in self.regions[region_id].executions.items():
                counts[self.blocks[index]] += executions
        return _join(counts)

    def instructions(self, region_id: int) -> int:
        """Executed instructions of one region."""
        executions = self.regions[region_id].executions
        return sum(len(self.blocks[index].words) * count for index, count in executions.items())


def _join(counts: Mapping[Block, int]) -> dict[Block, int]:
    """Appends to each block that ends without a jump what always runs after it."""
    whole: dict[Block, int] = {}
    starts: dict[int, list[Block]] = {}
    for head in sorted(counts, key=lambda block: -block.address):  # so that the rest of a chain is joined already
        executions = counts[head]
        following = starts.get(head.end, [])
        if not _may_jump(head.words[-1]) and len(following) == 1 and whole[following[0]] >= executions:
            whole[following[0]] -= executions
            head = Block(head.address, head.words + following[0].words)
        whole[head] = whole.get(head, 0) + executions
        starts.setdefault(head.address, []).append(head)
    return {block: executions for block, executions in whole.items() if executions}


def _may_jump(word: int) -> bool:
    """Whether control may go elsewhere after this instruction: the encoding group of branches and exceptions."""
    return word >> 26 & 0x7 == 0b101


def plugin_argument(plugin: Path, output: Path, *, skip: int = 0) -> str:
    """What follows QEMU's `-plugin` so that it writes its counts to `output`, the first `skip` inferences left out.

    Raises:
        ToolchainError: a path has a comma, which QEMU would take for the end of the argument.
    """
    if "," in f"{plugin}{output}":
        raise ToolchainError("QEMU cannot take plugin paths with a comma", hint="use a cache folder without a comma")
    return f"{plugin},out={output},skip={skip}"


def read_counts(path: Path) -> Counts:
    """Reads the file the plugin wrote.

    Raises:
        ToolchainError: there is no such file, or it is cut short: the guest died.
        MeasurementInvalid: the guest ran several threads, whose counts would not be exact.
    """
    try:
        data = path.read_bytes()
        reader = _Reader(data)
        if reader.take(len(_MAGIC)) != _MAGIC:
            raise ToolchainError(f"not an instruction count: `{path.name}`")
        vcpus, block_count, region_count = reader.u32(), reader.u32(), reader.u32()
        blocks = tuple(Block(reader.u64(), reader.u32s(reader.u32())) for _ in range(block_count))
        regions = {region.id: region for region in (_read_region(reader) for _ in range(region_count))}
    except (OSError, struct.error) as error:
        raise ToolchainError(
            f"the emulator left no usable instruction count: {error}", hint="check that the program ran to its end"
        ) from error
    if vcpus != 1:
        raise MeasurementInvalid(
            f"the counted program ran {vcpus} threads", flags=("threads",), hint="count with one thread"
        )
    return Counts(blocks, regions)


def _read_region(reader: _Reader) -> Region:
    region_id, entries, used = reader.u32(), reader.u64(), reader.u32()
    return Region(region_id, entries, {reader.u32(): reader.u64() for _ in range(used)})


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def take(self, size: int) -> bytes:
        chunk = self._data[self._at : self._at + size]
        if len(chunk) != size:
            raise struct.error("file cut short")
        self._at += size
        return bytes(chunk)

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def u32s(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self.take(4 * count))
