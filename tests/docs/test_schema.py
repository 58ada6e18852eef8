"""docs/schema/run.json is what the code says, describes every field, and takes what `edgebin profile` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from docs import update_schema
from edgebin.errors import InputError
from edgebin.profile.record import RunRecord
from edgebin.report import report_json
from tests.report.builder import estimated_record, hostile_record, invalid_record, measured_record

SCHEMA: dict[str, Any] = json.loads(update_schema.SCHEMA.read_text(encoding="utf-8"))
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def problems(data: Any, schema: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """What of JSON Schema the file uses, checked independently of pydantic; an unknown keyword is a problem, too."""
    if "$ref" in schema:
        schema = {**SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], **{k: schema[k] for k in schema if k != "$ref"}}
    words = {"title", "description", "default", "$defs", "$schema", "properties", "additionalProperties", "required"}
    words |= {"type", "anyOf", "const", "enum", "items", "prefixItems", "minItems", "maxItems", "exclusiveMinimum"}
    yield from (f"{where}: unknown keyword {word}" for word in set(schema) - words)
    if "anyOf" in schema and not any(not list(problems(data, option, where)) for option in schema["anyOf"]):
        yield f"{where}: none of its forms"
    if "const" in schema and data != schema["const"]:
        yield f"{where}: not {schema['const']}"
    if "enum" in schema and data not in schema["enum"]:
        yield f"{where}: not one of {schema['enum']}"
    kind = schema.get("type")
    if kind and (not isinstance(data, TYPES[kind]) or (isinstance(data, bool) and kind != "boolean")):
        yield f"{where}: not of type {kind}"
        return
    if "exclusiveMinimum" in schema and not data > schema["exclusiveMinimum"]:
        yield f"{where}: too small"
    if kind == "object":
        known = schema.get("properties", {})
        yield from (f"{where}: lacks {name}" for name in schema.get("required", ()) if name not in data)
        for name, value in data.items():
            rest = schema.get("additionalProperties", True)
            if name in known:
                yield from problems(value, known[name], f"{where}.{name}")
            elif rest is False:
                yield f"{where}: has {name}"
            elif isinstance(rest, dict):
                yield from problems(value, rest, f"{where}.{name}")
    if kind == "array":
        if not schema.get("minItems", 0) <= len(data) <= schema.get("maxItems", len(data)):
            yield f"{where}: {len(data)} items"
        first = schema.get("prefixItems", ())
        for number, item in enumerate(data):
            yield from problems(item, first[number] if number < len(first) else schema.get("items", {}), f"{where}[]")


def test_the_file_is_what_the_code_says() -> None:
    assert update_schema.SCHEMA.read_text(encoding="utf-8") == update_schema.render(), "run `make docs`"


def test_every_field_is_described() -> None:
    for name, definition in {"RunRecord": SCHEMA, **SCHEMA["$defs"]}.items():
        assert definition["description"].strip(), name
        missing = [field for field, schema in definition["properties"].items() if not schema.get("description")]
        assert not missing, f"{name}: {missing} have no text under them"


@pytest.mark.parametrize(
    "record",
    [measured_record((1, 2)), measured_record(energy=False), estimated_record(), invalid_record(), hostile_record()],
    ids=["measured", "no energy", "estimate", "invalid", "hostile"],
)
def test_records_are_as_the_schema_says(record: RunRecord) -> None:
    data = json.loads(report_json(record))
    assert list(problems(data, SCHEMA)) == []
    assert RunRecord.from_dict(data) == record


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"variants": []},
        {"validity": {"ok": "perhaps"}},
        {"unheard": 1},
        {"power": {"source": "pmic"}},
        {"bundles": [{"name": "x", "sha256": 5, "bytes_": 1}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_refuses_what_edgebin_refuses(change: dict[str, Any]) -> None:
    data = {**json.loads(report_json(measured_record())), **change}
    assert list(problems(data, SCHEMA))
    with pytest.raises(InputError, match="run record"):
        RunRecord.from_dict(data)
