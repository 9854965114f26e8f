"""Makes ``schemas.json`` from Alpaca's OpenAPI documents: of each call of the kinds served, what an answer may hold.

Only facts are taken over: names, types, formats, enumerations, what is required and what may be null. An object may
have no field that its document does not name. To be run again when the documents change:

    python -m tests.conformance.make_schemas trading-api.json market-data-api.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

SERVED: Final = Path(__file__).with_name("schemas.json")
PATHS: Final = (
    "/v2/orders", "/v2/positions", "/v2/account", "/v2/assets", "/v2/calendar", "/v2/clock", "/v3/",
    "/v2/stocks/", "/v1beta3/crypto/", "/v1/corporate-actions",
)  # fmt: skip
_REFUSAL: Final = {
    "type": "object",
    "required": ["message"],
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
}
ADDED: Final[dict[str, dict[str, Any]]] = {
    "Account": {"effective_buying_power": {"type": "string"}},
    "OrderLeg": {
        "expires_at": {"type": "string", "format": "date-time"},
        "ratio_qty": {"type": ["string", "null"]},
    },
    "CanceledOrderResponse": {"body": {"anyOf": [{"$ref": "#/definitions/Order"}, _REFUSAL, {"type": "null"}]}},
    "PositionClosedReponse": {"body": {"anyOf": [{"$ref": "#/definitions/Order"}, _REFUSAL]}},
}
"""What recorded answers and the documents' own examples hold beyond the schemas."""
ALSO: Final = {"Exchange": ["CRYPTO"], "ExchangeForPosition": ["CRYPTO"]}
"""The exchange of coins, which the client library lists and the documents do not."""
KEPT: Final = ("type", "format", "enum", "required")


class Maker:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.definitions: dict[str, Any] = {}

    def calls(self) -> dict[str, dict[str, Any]]:
        """``GET /v2/orders/{order_id}`` -> status -> schema, None for an empty body."""
        found: dict[str, dict[str, Any]] = {}
        for path, operations in self._document["paths"].items():
            if not path.startswith(PATHS) or "options" in path or "fixed_income" in path:
                continue
            for method, operation in operations.items():
                if method in ("get", "post", "patch", "delete"):
                    found[f"{method.upper()} {path}"] = self._answers(operation)
        return found

    def _answers(self, operation: dict[str, Any]) -> dict[str, Any]:
        answers = {}
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                content = self._resolved(answer).get("content", {})
                schema = content.get("application/json", {}).get("schema")
                answers[status] = None if schema is None else self._facts(schema)
        return answers

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            found: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def _facts(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            if name not in self.definitions:
                self.definitions[name] = {}  # a schema may hold itself
                self.definitions[name] = self._facts(self._resolved(node))
                self.definitions[name].get("enum", []).extend(ALSO.get(name, []))
                for field, schema in ADDED.get(name, {}).items():
                    self.definitions[name]["properties"][field] = schema
            return {"$ref": f"#/definitions/{name}"}
        if "allOf" in node:
            return self._facts(self._merged(node))
        facts = {key: node[key] for key in KEPT if key in node}
        for key in ("anyOf", "oneOf"):
            if key in node:  # "one of" is told as "any of": a schema without required fields fits beside another
                facts["anyOf"] = [self._facts(choice) for choice in node[key]]
        if "properties" in node:
            facts["properties"] = {name: self._facts(schema) for name, schema in node["properties"].items()}
            facts["additionalProperties"] = False
        extra = node.get("additionalProperties")
        if isinstance(extra, dict):
            facts["additionalProperties"] = self._facts(extra)
        if "items" in node:
            facts["items"] = self._facts(node["items"])
        return _nullable(facts) if node.get("nullable") else facts

    def _merged(self, node: dict[str, Any]) -> dict[str, Any]:
        whole: dict[str, Any] = {key: value for key, value in node.items() if key != "allOf"}
        for part in map(self._resolved, node["allOf"]):
            flat = self._merged(part) if "allOf" in part else part
            whole["properties"] = {**flat.get("properties", {}), **whole.get("properties", {})}
            whole["required"] = [*flat.get("required", []), *whole.get("required", [])]
            for key in ("type", "format", "enum"):
                if key in flat:
                    whole.setdefault(key, flat[key])
        return {key: value for key, value in whole.items() if value}


def _nullable(facts: dict[str, Any]) -> dict[str, Any]:
    if "type" in facts:
        facts["type"] = [facts["type"], "null"]
        if "enum" in facts:
            facts["enum"] = [*facts["enum"], None]
        return facts
    return {"anyOf": [facts, {"type": "null"}]}


def main(paths: list[str]) -> None:
    calls: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for path in paths:
        maker = Maker(json.loads(Path(path).read_text(encoding="utf-8")))
        calls |= maker.calls()
        definitions |= maker.definitions
    written = {"calls": dict(sorted(calls.items())), "definitions": dict(sorted(definitions.items()))}
    SERVED.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
