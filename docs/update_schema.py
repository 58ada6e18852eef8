"""Writes docs/schema/run.json, the JSON Schema of run records, from the code. `make docs` runs it, a test compares."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter

from edgebin.profile.record import RunRecord

SCHEMA = Path(__file__).with_name("schema") / "run.json"


def render() -> str:
    """The whole file."""
    schema = TypeAdapter(RunRecord).json_schema()
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps({"$schema": dialect, **schema}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.parent.mkdir(exist_ok=True)
    SCHEMA.write_text(render(), encoding="utf-8")
