"""Removes everything that edgebin keeps on a board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from edgebin.board.transports.transport import Transport
from edgebin.errors import BoardError
from edgebin.toolchain.process import tail

_BUSY, _TUNED = 4, 5  # the first as the agent says it (docs/board.md)

# $1: the folder. It gets another name first, so that whoever deploys meanwhile finds either all of it or nothing.
_CLEAN = f"""
cd "$1" 2>/dev/null || {{ echo 0 0 0; exit 0; }}
if command -v flock >/dev/null; then
  exec 9>lock
  flock -n 9 || exit {_BUSY}
else
  for job in jobs/*/; do
    [ -e "$job/exit" ] || {{ read -r pid rest <"$job/pid" && kill -0 "$pid" && exit {_BUSY}; }}
  done 2>/dev/null
fi
for job in jobs/*/; do [ ! -e "$job/tuning" ] || exit {_TUNED}; done
set -- "$1" $(du -sk .)
kib=$2
bundles=0
for bundle in bundles/*/; do [ -d "$bundle" ] && bundles=$((bundles + 1)); done
jobs=0
for job in jobs/*/; do [ -d "$job" ] && jobs=$((jobs + 1)); done
gone="${{1%/*}}/.removed-$$"
mv "$1" "$gone" && rm -rf "$gone" || exit 1
rmdir "${{1%/*}}" 2>/dev/null
echo "$bundles $jobs $kib"
"""


@dataclass(frozen=True)
class Cleaned:
    """What was removed: bundles, jobs whose results nobody has fetched, and how large all of it was."""

    folder: PurePosixPath
    bundles: int
    jobs: int
    bytes_: int


def clean_board(transport: Transport) -> Cleaned:
    """Removes the folder of edgebin there, if no job is running.

    Raises:
        BoardError: a job is running, or was killed before it put settings back; the folder cannot be removed.
        ConnectionLost: the connection broke.
    """
    folder = transport.folder
    done = transport.run(["sh", "-c", _CLEAN, "edgebin", str(folder)])
    if done.returncode == _BUSY:
        raise BoardError(f"a job is running on {transport.name}", hint="wait until it has ended")
    if done.returncode == _TUNED:
        raise BoardError(
            f"a job that was killed has left settings behind on {transport.name}; what they were is kept there",
            hint="put them back first: `edgebin doctor --host …` shows the command",
        )
    if done.returncode:
        raise BoardError(f"cannot remove `{folder}` on {transport.name}: {tail(done.stderr)}")
    bundles, jobs, kib = (int(word) for word in done.stdout.split())
    return Cleaned(folder, bundles, jobs, kib * 1024)
