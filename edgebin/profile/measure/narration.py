"""What a job is doing, in words, for whoever waits."""

from __future__ import annotations

from edgebin.profile.measure.events import (
    Chosen,
    Event,
    Failed,
    Idle,
    Output,
    Round,
    SessionBegin,
    Started,
    Tuned,
    Window,
)
from edgebin.profile.measure.subject import Subject


class Narration:
    """Tells of a job from its events, each step once."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._session = 0
        self._timing = False

    def tell(self, event: Event) -> str | None:
        """What this event means for whoever waits; None where it is nothing new."""
        match event:
            case Tuned():
                return "settings: " + ", ".join(f"{s.what} {s.before} → {s.after}" for s in event.settings)
            case SessionBegin():
                self._session, self._timing = event.session, False
                where = "any processor" if not event.cores else f"processors {', '.join(map(str, event.cores))}"
                return f"{event.threads} thread{'' if event.threads == 1 else 's'} on {where}{self._part()}: loading"
            case Started():
                return f"{event.name} is loaded"
            case Failed():
                return f"{event.name} does not start: {event.message.partition(chr(10))[0]}"
            case Chosen():
                return "warming up"
            case Round() if not self._timing:
                self._timing = True
                return "timing, in turns"
            case Idle():
                return "has measured the power of idling"
            case Window():
                name = self._subject.sessions[event.session][event.contender].name
                return f"energy window {event.window + 1} of {name}"
            case Output():
                return event.name
        return None

    def _part(self) -> str:
        count = len(self._subject.sessions)
        return f" (session {self._session + 1} of {count})" if count > 1 else ""
