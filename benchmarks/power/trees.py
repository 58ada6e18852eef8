"""Sensors of power as files that stand still: what a sampler reads, without the sensor."""

from __future__ import annotations

from pathlib import Path


def rapl(root: Path) -> str:
    """One package of an x86 processor: one file a sample."""
    domain = root / "sys/class/powercap/intel-rapl:0"
    _write(domain / "name", "package-0")
    _write(domain / "max_energy_range_uj", "262143328850")
    _write(domain / "energy_uj", "61234567890")
    return "rapl"


def ina3221_power(root: Path) -> str:
    """Three rails as JetPack 4 shows them: three files."""
    chip = root / "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    for index, label in enumerate(("POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU")):
        _write(chip / f"rail_name_{index}", label)
        _write(chip / f"in_power{index}_input", "2134")
    return "ina3221"


def ina3221_product(root: Path) -> str:
    """Three rails as later JetPacks show them, voltage and current: six files."""
    chip = root / "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
    for index, label in enumerate(("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"), 1):
        _write(chip / f"in{index}_label", label)
        _write(chip / f"in{index}_input", "5080")
        _write(chip / f"curr{index}_input", "872")
    return "ina3221"


TREES = {"rapl": rapl, "ina3221, files of power": ina3221_power, "ina3221, volts and amperes": ina3221_product}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
