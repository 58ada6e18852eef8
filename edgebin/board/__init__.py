"""Machines that run a bundle, this host, the emulator or a board, and what to do with one: run inputs, verify."""

from edgebin.board.choose import machine_at, machine_for
from edgebin.board.invoke import RunnerReport, invoke
from edgebin.board.local import LocalMachine
from edgebin.board.machine import Machine
from edgebin.board.qemu import QemuMachine
from edgebin.board.remote import RemoteMachine
from edgebin.board.run import run_bundle, run_bundle_files
from edgebin.board.transports.reach import reach
from edgebin.board.verify import VerifyReport, check_bundle, verify_bundle

__all__ = [
    "LocalMachine",
    "Machine",
    "QemuMachine",
    "RemoteMachine",
    "RunnerReport",
    "VerifyReport",
    "check_bundle",
    "invoke",
    "machine_at",
    "machine_for",
    "reach",
    "run_bundle",
    "run_bundle_files",
    "verify_bundle",
]
