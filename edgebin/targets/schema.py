"""The schema of a target file: `edgebin.targets.load` reads files into it, bundles carry a whole `Target`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+._-]*$")]
GlibcVersion = Annotated[str, StringConstraints(pattern=r"^2\.[0-9]+$")]
KernelPath = Literal["scalar", "neon", "neondot", "avx2", "avx512"]
Text = Annotated[str, StringConstraints(min_length=1)]
Rate = Annotated[float, Field(gt=0)]


class Model(BaseModel):
    """Frozen; a key the schema does not know is an error, so that a typing mistake is found."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Evidence(Model):
    """How far to trust figures: `measured` on silicon, from a `guide`, `assumed` from a relative, or `unknown`."""

    kind: Literal["measured", "guide", "assumed", "unknown"]
    source: Text


class Issue(Model):
    """How many operations a core starts per cycle, of any kind: `width` slots, of which a 128-bit result takes some."""

    width: int = Field(gt=0)
    slots_per_q_result: int = Field(gt=0)
    source: Text


class Rates(Model):
    """Instructions per cycle. None: the core lacks the instruction, or nobody has measured it.

    NEON in its 128-bit forms; x86 by the size of its registers, ymm of 256 and zmm of 512 bits.
    """

    eor: Rate | None = None
    cnt: Rate | None = None
    add: Rate | None = None
    addp: Rate | None = None
    uaddlp: Rate | None = None
    uadalp: Rate | None = None
    addv: Rate | None = None
    bsl: Rate | None = None
    shift: Rate | None = None
    sri: Rate | None = None
    tbl: Rate | None = None
    tbl2: Rate | None = None
    ucvtf: Rate | None = None
    fmla: Rate | None = None
    fmla_fp16: Rate | None = None
    udot: Rate | None = None
    ldr_q: Rate | None = None
    ld1r: Rate | None = None
    str_q: Rate | None = None
    vpxor_ymm: Rate | None = None
    vpaddb_ymm: Rate | None = None
    vpshufb_ymm: Rate | None = None
    vfmadd_ymm: Rate | None = None
    load_ymm: Rate | None = None
    store_ymm: Rate | None = None
    vpxor_zmm: Rate | None = None
    vpaddb_zmm: Rate | None = None
    vpshufb_zmm: Rate | None = None
    vpopcntd_zmm: Rate | None = None
    vfmadd_zmm: Rate | None = None
    load_zmm: Rate | None = None
    store_zmm: Rate | None = None


class Core(Model):
    """A processor core, as far as the static cycle estimate needs it. Without `rates` there is no estimate."""

    id: Identifier
    name: Text
    implementer: int | None = Field(default=None, ge=0, description="MIDR implementer, as in /proc/cpuinfo")
    part: int | None = Field(default=None, ge=0, description="MIDR part number, as in /proc/cpuinfo")
    out_of_order: bool
    issue: Issue | None = None
    rates: Rates | None = None
    rates_evidence: Evidence


class Llvm(Model):
    """What TVM's code generator is told. `mattr` entries start with + or -."""

    mtriple: Text
    mcpu: Text
    mattr: tuple[Annotated[str, StringConstraints(pattern=r"^[+-][a-z0-9._-]+$")], ...] = ()


class Zig(Model):
    """What `zig cc` is told: `-target`, `-mcpu` (underscores, not hyphens) and further flags."""

    target: Annotated[str, StringConstraints(pattern=r"^(aarch64|x86_64)-linux-gnu\.2\.[0-9]+$")]
    mcpu: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
    flags: tuple[Text, ...] = ()


class Gcc(Model):
    """The system compiler that may be used instead of zig. It links against its own glibc, which a board may lack."""

    command: Text
    flags: tuple[Text, ...] = ()


class Qemu(Model):
    """`qemu-aarch64 -cpu`: a model that has no instruction the board lacks, or the nearest there is."""

    cpu: Identifier


class Memory(Model):
    """Cache sizes, and what one core was measured to copy (bytes copied per second; the traffic is twice that)."""

    l1i_bytes: int | None = Field(default=None, gt=0)
    l1d_bytes: int | None = Field(default=None, gt=0)
    l2_bytes: int | None = Field(default=None, gt=0)
    l3_bytes: int | None = Field(default=None, gt=0)
    caches_source: Text
    copy_bandwidth_bytes_per_s: float | None = Field(default=None, gt=0)
    copy_bandwidth_source: Text


class PublishedPower(Model):
    """What one source has measured at the board's input, whole board, in watts.

    `stress_w`: all cores busy with an ordinary load. `heaviest_w`: with dense vector code (HPL), or a maximum that was
    seen. `active_w`: in use, by a load that the source does not tell.
    """

    source: Text
    idle_w: Rate | None = None
    one_core_w: Rate | None = None
    stress_w: Rate | None = None
    heaviest_w: Rate | None = None
    active_w: Rate | None = None

    @model_validator(mode="after")
    def _says_something(self) -> PublishedPower:
        loads = (self.stress_w, self.heaviest_w)
        if any(load is not None and (self.idle_w is None or load < self.idle_w) for load in loads):
            raise ValueError("power under load needs an idle power of the same source, and is not below it")
        if self.active_w is None and self.one_core_w is None and not any(loads):
            raise ValueError("no power of a busy board")
        return self


class Power(Model):
    """What is known of the board's power, for estimates: `published` by source, or why there can be none."""

    published: dict[Identifier, PublishedPower] = {}
    refused: Text | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Power:
        if (self.refused is None) != bool(self.published):
            raise ValueError("either published power, or why an estimate is refused")
        return self


class Target(Model):
    """One board, or this host.

    `features` are names as /proc/cpuinfo has them (`asimddp`, `avx2`). `kernel_paths` goes from the best to the last
    resort. `glibc` is the oldest C library among the board's usual systems: an artefact may need nothing newer.
    `models` are the words that such a board's device tree begins its model's name with.
    """

    id: Identifier
    aliases: tuple[Identifier, ...] = ()
    models: tuple[Text, ...] = ()
    name: Text
    description: str = ""
    arch: Literal["aarch64", "x86_64"]
    core: Core
    cores: int = Field(gt=0)
    freq_hz: int = Field(gt=0)
    features: tuple[Identifier, ...]
    kernel_paths: tuple[KernelPath, ...] = Field(min_length=1)
    glibc: GlibcVersion
    page_size: Literal[4096, 16384, 65536]
    llvm: Llvm
    zig: Zig
    gcc: Gcc
    qemu: Qemu | None = None
    memory: Memory
    power: Power | None = None

    def tvm_target(self) -> dict[str, str | int | list[str]]:
        """The dictionary that `tvm.target.Target` takes (TVM 0.27 refuses command-line strings)."""
        target: dict[str, str | int | list[str]] = {
            "kind": "llvm",
            "mtriple": self.llvm.mtriple,
            "mcpu": self.llvm.mcpu,
            "num-cores": self.cores,
        }
        if self.llvm.mattr:
            target["mattr"] = list(self.llvm.mattr)
        return target
