"""Synthetic boards: the files that their sensors of power have, holding whatever power a test asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PMIC_CURRENTS = (
    *("3V7_WL_SW", "3V3_SYS", "1V8_SYS", "DDR_VDD2", "DDR_VDDQ", "1V1_SYS", "0V8_SW", "VDD_CORE", "3V3_DAC", "3V3_ADC"),
    *("0V8_AON", "HDMI"),
)
PMIC_VOLTAGES = (*PMIC_CURRENTS[::-1], "EXT5V", "BATT")  # in another order: numbers do not pair


class Number:
    """A file whose number is overwritten in place; zeros in front keep its length, so that no reader sees a part."""

    def __init__(self, path: Path, value: int, end: bytes = b"\n") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%012d%s" % (value, end))
        self.file = os.open(path, os.O_WRONLY)
        self.value = value

    def set(self, value: int) -> None:
        os.pwrite(self.file, b"%012d" % value, 0)
        self.value = value


@dataclass
class Board:
    """`set(watts, t_ns)` writes power as closely as the files can say it, and gives what they then say.

    That is watts, or with `counts_energy` the joules that they have counted so far.
    """

    root: Path
    target: str
    source: str
    labels: tuple[str, ...]
    totals: tuple[str, ...]
    trust: str
    watts: tuple[float, ...]  # per channel, as they are first
    set: Callable[[float, int], float]
    mailbox: Path | None = None
    settings: dict[str, int] | None = None
    counts_energy: bool = False


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content + "\n")
    return path


def iio_chip(folder: Path, rails: Sequence[tuple[str, int]], volts_mv: int) -> list[Number]:
    """JetPack 4; gives the files of power, in mW."""
    numbers = []
    for index, (label, milliwatts) in enumerate(rails):
        text(folder / f"rail_name_{index}", label)
        text(folder / f"in_voltage{index}_input", str(volts_mv))
        text(folder / f"in_current{index}_input", str(milliwatts * 1000 // volts_mv))
        numbers.append(Number(folder / f"in_power{index}_input", milliwatts))
    return numbers


def hwmon_chip(folder: Path, rails: Sequence[tuple[str, int]], volts_mv: int) -> list[Number]:
    """JetPack 5 and 6; gives the files of current, in mA."""
    numbers = []
    for index, (label, milliamperes) in enumerate(rails, 1):
        text(folder / f"in{index}_label", label)
        text(folder / f"in{index}_input", str(volts_mv))
        text(folder / f"in{index + 3}_input", "7")  # shunt voltages have no label
        numbers.append(Number(folder / f"curr{index}_input", milliamperes))
    text(folder / "in7_label", "sum of shunt voltages")
    text(folder / "in7_input", "99")
    text(folder / "name", "ina3221")
    text(folder / "samples", "1")
    text(folder / "update_interval", "7")
    return numbers


def milliwatts(number: Number) -> Callable[[float, int], float]:
    def write(watts: float, t_ns: int) -> float:
        number.set(round(watts * 1000))
        return number.value / 1000

    return write


def milliamperes(number: Number, volts_mv: int) -> Callable[[float, int], float]:
    def write(watts: float, t_ns: int) -> float:
        number.set(round(watts * 1e6 / volts_mv))
        return number.value * volts_mv / 1e6

    return write


def nano(root: Path) -> Board:
    rails = [("POM_5V_IN", 2134), ("POM_5V_GPU", 40), ("POM_5V_CPU", 722)]
    numbers = iio_chip(root / "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0", rails, 5000)
    labels = ("POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU")
    watts = (2.134, 0.04, 0.722)
    return Board(
        root, "jetson-nano", "ina3221", labels, ("POM_5V_IN",), "B", watts, milliwatts(numbers[0]), settings={}
    )


def tx2(root: Path) -> Board:
    """Two chips; the total is the first rail of the second."""
    driver = root / "sys/bus/i2c/drivers/ina3221x"
    iio_chip(driver / "0-0040/iio:device0", [("VDD_SYS_GPU", 152), ("VDD_SYS_SOC", 533), ("VDD_4V0_WIFI", 19)], 19000)
    numbers = iio_chip(
        driver / "0-0041/iio:device1", [("VDD_IN", 3315), ("VDD_SYS_CPU", 457), ("VDD_SYS_DDR", 838)], 19000
    )
    labels = ("VDD_SYS_GPU", "VDD_SYS_SOC", "VDD_4V0_WIFI", "VDD_IN", "VDD_SYS_CPU", "VDD_SYS_DDR")
    watts = (0.152, 0.533, 0.019, 3.315, 0.457, 0.838)
    return Board(root, "jetson-tx2", "ina3221", labels, ("VDD_IN",), "B", watts, milliwatts(numbers[0]), settings={})


def jetson_hwmon(root: Path, target: str, bus: str, hwmon: str) -> Board:
    folder = root / f"sys/bus/i2c/drivers/ina3221/{bus}/hwmon/{hwmon}"
    numbers = hwmon_chip(folder, [("VDD_IN", 872), ("VDD_CPU_GPU_CV", 128), ("NC", 5)], 5080)
    text(folder.parents[2] / "3-0041/hwmon/hwmon9/in1_label", "NC")
    (root / "sys/class/hwmon").mkdir(parents=True)
    (root / "sys/class/hwmon" / hwmon).symlink_to(folder)
    return Board(
        root,
        target,
        "ina3221",
        ("VDD_IN", "VDD_CPU_GPU_CV"),
        ("VDD_IN",),
        "B",
        (4.42976, 0.65024),
        milliamperes(numbers[0], 5080),
        settings={"samples": 1, "update_interval_ms": 7},
    )


def xavier_nx(root: Path) -> Board:
    return jetson_hwmon(root, "jetson-xavier-nx", "7-0040", "hwmon5")


def orin_nano(root: Path) -> Board:
    return jetson_hwmon(root, "jetson-orin-nano", "1-0040", "hwmon1")


def pmic_answer(core_ma: int, separator: bytes = b"\n") -> bytes:
    """What the firmware says: 12 currents of 10 mA at 1 V, but for the core's at 0.8 V; the current is at the front."""
    rows = [f"VDD_CORE_A current(7)={core_ma // 1000:08d}.{core_ma % 1000:03d}A".encode()]
    rows += [
        f"  {name}_A current({i})=0.01000000A".encode() for i, name in enumerate(PMIC_CURRENTS) if name != "VDD_CORE"
    ]
    for number, name in enumerate(PMIC_VOLTAGES, 8):
        volts = {"VDD_CORE": "0.80000000", "EXT5V": "5.14916000", "BATT": "0.00000000"}.get(name, "1.00000000")
        rows.append(f"  {name}_V volt({number})={volts}V".encode())
    return separator.join(rows) + separator


def rpi5(root: Path, separator: bytes = b"\n") -> Board:
    """Only the digits of the core's current are ever overwritten."""
    mailbox = root / "mailbox"
    mailbox.mkdir(parents=True)
    answer = mailbox / "pmic_read_adc"
    answer.write_bytes(pmic_answer(2000, separator))
    (root / "dev").mkdir()
    (root / "dev/vcio").touch()
    model = root / "proc/device-tree/model"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    file = os.open(answer, os.O_WRONLY)
    at = pmic_answer(0).index(b"=") + 1

    def write(watts: float, t_ns: int) -> float:
        milli = round((watts - 0.11) / 0.8 * 1000)
        os.pwrite(file, b"%08d.%03d" % divmod(milli, 1000), at)
        return milli * 0.8 / 1000 + 0.11

    watts = (1.6, *[0.01] * 11)
    labels = ("VDD_CORE", *(name for name in PMIC_CURRENTS if name != "VDD_CORE"))
    return Board(root, "rpi5", "pmic", labels, labels, "C", watts, write, mailbox=mailbox, settings={})


def rpi4_ina219(root: Path) -> Board:
    """A breakout in the 5 V line, as the ina2xx driver shows it: no labels, power in µW."""
    folder = root / "sys/class/hwmon/hwmon2"
    text(folder / "name", "ina219")
    text(folder / "in0_input", "12")
    text(folder / "in1_input", "5104")
    text(folder / "curr1_input", "612")
    text(folder / "shunt_resistor", "100000")
    power = Number(folder / "power1_input", 3_123_000)
    text(root / "sys/class/hwmon/hwmon0/name", "cpu_thermal")
    text(root / "sys/class/hwmon/hwmon0/temp1_input", "51200")
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.5\0")

    def write(watts: float, t_ns: int) -> float:
        power.set(round(watts * 1e6))
        return power.value / 1e6

    return Board(
        root,
        "rpi4b",
        "hwmon:ina219:power1",
        ("power1",),
        ("power1",),
        "B",
        (3.123,),
        write,
        settings={"shunt_resistor_uohm": 100000},
    )


def x86_rapl(root: Path) -> Board:
    """Two packages with their parts, and the whole platform; the counters begin again every ten joules."""
    range_uj = 10_000_000
    powercap = root / "sys/class/powercap"

    def domain(name: str, label: str, start: int) -> Number:
        text(powercap / name / "name", label)
        text(powercap / name / "max_energy_range_uj", str(range_uj))
        return Number(powercap / name / "energy_uj", start)

    packages = [domain("intel-rapl:0", "package-0", range_uj - 1_000_000), domain("intel-rapl:1", "package-1", 17)]
    for name, label in (("intel-rapl:0:0", "core"), ("intel-rapl:0:1", "dram"), ("intel-rapl:2", "psys")):
        domain(name, label, 5)
    before: list[tuple[float, int]] = []
    exact = [float(package.value) for package in packages]

    def write(watts: float, t_ns: int) -> float:
        """Counts what the power before has drawn until now; two thirds of it in the first package."""
        if before:
            watts_before, t_before = before.pop()
            for i, share in enumerate((2 / 3, 1 / 3)):
                exact[i] += watts_before * share * (t_ns - t_before) / 1000
                packages[i].set(round(exact[i]) % range_uj)
        before.append((watts, t_ns))
        return sum(exact) / 1e6

    labels = ("package-0", "package-1")
    return Board(root, "x86-64", "rapl", labels, labels, "D", (0.0, 0.0), write, settings={}, counts_energy=True)


BOARDS: dict[str, Callable[[Path], Board]] = {
    "nano-jp4": nano,
    "tx2-jp4": tx2,
    "xavier-nx-jp5": xavier_nx,
    "orin-nano-jp6": orin_nano,
    "rpi5": rpi5,
    "rpi4-ina219": rpi4_ina219,
    "x86-rapl": x86_rapl,
}
