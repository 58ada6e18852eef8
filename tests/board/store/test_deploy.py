"""What a board keeps, by checksum: copied once, verified, never half there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edgebin.board.job import Job, new_job_id
from edgebin.board.store.agent import place_agent
from edgebin.board.store.clean import clean_board
from edgebin.board.store.deploy import deploy_bundle, deploy_program
from edgebin.board.transports.local import LocalTransport
from edgebin.board.transports.ssh import SshTransport
from edgebin.board.transports.transport import Transport
from edgebin.bundle import Bundle, open_bundle
from edgebin.errors import BoardError, BundleError
from tests.board.sshd import Sshd

Bundles = Callable[[str], Bundle]


@pytest.fixture(params=["local", "ssh"])
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Transport:
    if request.param == "local":
        monkeypatch.setattr("edgebin.board.transports.local.cache_dir", lambda name: tmp_path / "cache" / name)
        return LocalTransport()
    request.getfixturevalue("board")
    shared: Transport = request.getfixturevalue("ssh_way")
    return shared


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_second_deploy_copies_nothing(way: Transport, tiny_bundle: Bundles) -> None:
    bundle = tiny_bundle("x86-64")
    first = deploy_bundle(way, bundle)
    assert first.path == way.folder / "bundles" / bundle.sha256
    assert first.copied_bytes == sum(path.stat().st_size for path in Path(way.folder, "objects").iterdir()) > 0
    before = content(Path(way.folder))
    assert deploy_bundle(way, bundle) == type(first)(first.path, 0)
    assert content(Path(way.folder)) == before
    shutil.rmtree(bundle.extracted())  # the host's own cache, made again
    assert deploy_bundle(way, bundle).copied_bytes == 0


def test_files_are_links_to_what_they_are_called(way: Transport, tiny_bundle: Bundles) -> None:
    bundle = tiny_bundle("x86-64")
    folder = Path(deploy_bundle(way, bundle).path)
    assert content(folder) == content(bundle.extracted())
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.samefile(Path(way.folder, "objects", hashlib.sha256(path.read_bytes()).hexdigest()))
    assert os.access(folder / "runner", os.X_OK)
    assert not os.access(folder / "golden" / "inputs.npz", os.X_OK)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "replaced"])
def test_what_was_damaged_there_is_copied_again(way: Transport, tiny_bundle: Bundles, damage: str) -> None:
    bundle = tiny_bundle("x86-64")
    folder = Path(deploy_bundle(way, bundle).path)
    runner = folder / "runner"
    size = runner.stat().st_size
    if damage == "cut":
        os.truncate(runner, 0)  # as a lost power supply does; the object is the same file
    elif damage == "changed":
        with runner.open("r+b") as stream:
            stream.write(b"\0")
    elif damage == "gone":
        runner.unlink()
    else:
        runner.unlink()
        runner.write_bytes(b"other")
    again = deploy_bundle(way, bundle)
    assert again.copied_bytes == (size if damage in ("cut", "changed") else 0)
    assert content(folder) == content(bundle.extracted())
    assert os.access(runner, os.X_OK)


def test_a_bundle_that_shares_files_with_another(way: Transport, tiny_bundle: Bundles, tmp_path: Path) -> None:
    deploy_bundle(way, tiny_bundle("x86-64"))
    program = tiny_bundle("x86-64").extracted() / "runner"
    deployed = deploy_program(way, program, "agent")
    assert deployed.copied_bytes == 0
    assert deployed.path.name == f"agent-{hashlib.sha256(program.read_bytes()).hexdigest()}"
    assert Path(deployed.path).samefile(Path(way.folder, "objects", deployed.path.name.removeprefix("agent-")))
    assert os.access(deployed.path, os.X_OK)


def test_many_deploy_at_once(board: Sshd, tiny_bundle: Bundles) -> None:
    bundle = tiny_bundle("x86-64")
    bundle.extracted()
    ways = [SshTransport("board") for _ in range(6)]
    shutil.rmtree(board.board_folder, ignore_errors=True)
    failed: list[BaseException] = []

    def work(way: SshTransport) -> None:
        try:
            for _ in range(3):
                deploy_bundle(way, bundle)
        except BaseException as error:  # noqa: BLE001 (shown by the test's thread)
            failed.append(error)

    threads = [threading.Thread(target=work, args=(way,)) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert content(board.board_folder / "bundles" / bundle.sha256) == content(bundle.extracted())
    assert sorted(path.name for path in board.board_folder.iterdir()) == ["bundles", "objects"]
    for way in ways:
        way.close()


def test_a_bundle_that_has_changed_is_never_sent(board: Sshd, tiny_bundle: Bundles, tmp_path: Path) -> None:
    path = Path(shutil.copy(tiny_bundle("x86-64").path, tmp_path / "x.ebz"))
    bundle = open_bundle(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    shutil.rmtree(bundle.extracted(), ignore_errors=True)
    way = SshTransport("board")
    with pytest.raises(BundleError):
        deploy_bundle(way, bundle)
    with pytest.raises(BundleError, match="damaged"):
        open_bundle(path)
    assert not board.board_folder.exists()
    way.close()


def test_a_full_board(way: Transport, tiny_bundle: Bundles) -> None:
    folder = Path(way.folder)
    folder.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", folder], check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        with pytest.raises(BoardError, match=r"cannot copy files to .*\n.*0 KiB are free there") as error:
            deploy_bundle(way, tiny_bundle("x86-64"))
        assert "devices clean" in (error.value.hint or "")
        assert [path.name for path in folder.iterdir()] == ["objects"]
        assert list((folder / "objects").iterdir()) == []
    finally:
        subprocess.run(["umount", folder], check=True)


def test_clean_says_what_it_removes(way: Transport, tiny_bundle: Bundles) -> None:
    folder = Path(way.folder)
    copied = deploy_bundle(way, tiny_bundle("x86-64")).copied_bytes
    (folder / "jobs" / "a b").mkdir(parents=True)
    cleaned = clean_board(way)
    assert (cleaned.bundles, cleaned.jobs) == (1, 1)
    assert cleaned.bytes_ >= copied
    assert not folder.exists()
    assert clean_board(way).bytes_ == 0
    assert deploy_bundle(way, tiny_bundle("x86-64")).copied_bytes == copied


def test_clean_keeps_what_settings_were_before(way: Transport) -> None:
    record = Path(way.folder, "jobs", "0" * 16, "tuning")
    record.parent.mkdir(parents=True)
    record.write_text("governor")
    with pytest.raises(BoardError, match="has left settings behind") as error:
        clean_board(way)
    assert "doctor --host" in (error.value.hint or "")
    record.unlink()
    assert clean_board(way).jobs == 1


def test_clean_refuses_while_the_agent_works(way: Transport, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    job = Job(way, place_agent(way), new_job_id())
    job.start(f"edgebin-plan 1\nidle-seconds 0\ncommand waits\narg cat\narg {tmp_path}/go\n")
    with pytest.raises(BoardError, match="a job is running"):
        clean_board(way)
    (tmp_path / "go").write_text("on")
    list(job.follow(tmp_path / "events"))
    while way.run(["flock", "-n", str(way.folder / "lock"), "true"]).returncode:  # the job's last moments
        pass
    assert clean_board(way).jobs == 1


def test_clean_waits_for_nobody_who_works(way: Transport, tiny_bundle: Bundles) -> None:
    deploy_bundle(way, tiny_bundle("x86-64"))
    lock = Path(way.folder, "lock")
    with subprocess.Popen(["flock", lock, "sh", "-c", "echo held; read end"], stdin=-1, stdout=-1) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == b"held\n"
        with pytest.raises(BoardError, match="a job is running"):
            clean_board(way)
        job.communicate(b"\n")
    assert clean_board(way).bundles == 1
