"""The collector described in OpenAPI 3.1; what an event holds comes from the contract."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from tidelake import __version__
from tidelake.collect.exchange import Answer
from tidelake.collect.validate import FORMATS
from tidelake.event.contract import EVENTS
from tidelake.event.schemas.jsonschema import json_schema

Json = dict[str, Any]

EVENT: Json = {"$ref": "#/components/schemas/Event"}
ANY_OBJECT: Json = {"type": "object"}
TEXT: Json = {"type": "string"}

CALLS = {
    "track": "What a user did: `event` names it, `properties` describe it",
    "identify": "Who a user is: `traits`",
    "page": "A page was viewed",
    "screen": "A screen of an app was viewed",
    "group": "A user belongs to a group: `groupId`, `traits`",
    "alias": "Two ids are one user: `previousId`, `userId`",
}
REFUSALS = {
    "400": "The body can not be cut into records, or is not what its headers say",
    "401": "No write key, or an unknown one",
    "403": "The write key is not for pages of this origin",
    "405": "The route does not answer this method",
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "415": "An encoding or format that is not understood",
    "429": "More requests than the key's limit; come back after Retry-After seconds",
    "503": "Nothing was stored; send again after Retry-After seconds",
}


@cache
def document() -> Json:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tidelake collector",
            "version": __version__,
            "description": "2xx means: the records are durable. What they hold is judged later; "
            "`/v1/validate` says how.",
        },
        "security": [{}, {"basic": []}, {"bearer": []}],
        "paths": {**_event_paths(), **_segment_paths(), **_other_paths()},
        "components": {
            "schemas": {"Event": _event(), "Error": _error()},
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The write key is the user name, without a password",
                },
                "bearer": {"type": "http", "scheme": "bearer", "description": "The write key"},
            },
        },
    }


@cache
def answer() -> Answer:
    return Answer(200, msgspec.json.encode(document()))


def _event_paths() -> Json:
    accepted = _object("accepted", {"type": "integer", "minimum": 0})
    cloud = {
        "application/cloudevents+json": {"schema": ANY_OBJECT},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": ANY_OBJECT}},
    }
    native = {
        "application/json": {
            "schema": {"anyOf": [EVENT, {"type": "array", "items": EVENT}]},
        },
        "application/x-ndjson": {"schema": TEXT},
    }
    verdict = {
        "type": "object",
        "required": ["accepted"],
        "properties": {
            "accepted": {"type": "boolean"},
            "event_type": {"type": ["string", "null"]},
            "event_key": TEXT,
            "flags": {"type": "array", "items": TEXT},
            "reason": TEXT,
            "field": {"type": ["string", "null"]},
            "detail": TEXT,
        },
    }
    verdicts = {
        "type": "object",
        "required": ["accepted", "rejected", "verdicts"],
        "properties": {
            "accepted": {"type": "integer"},
            "rejected": {"type": "integer"},
            "verdicts": {"type": "array", "items": verdict},
        },
    }
    validate = _post(
        "Ask what would become of events; nothing is stored", {**native, **cloud}, verdicts
    )
    formats: Json = {"type": "string", "enum": list(FORMATS), "default": "native"}
    validate["post"]["parameters"] = [{"name": "format", "in": "query", "schema": formats}]
    return {
        "/v1/events": _post(
            "Send events: one object, an array, or one object a line; CloudEvents too",
            {**native, **cloud},
            accepted,
        ),
        "/v1/cloudevents": _post("The same door, for CloudEvents", cloud, accepted),
        "/v1/validate": validate,
    }


def _segment_paths() -> Json:
    success = _object("success", {"const": True})
    paths = {
        f"/v1/{call}": _post(meaning, {"application/json": {"schema": ANY_OBJECT}}, success)
        for call, meaning in CALLS.items()
    }
    batch = {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "items": ANY_OBJECT},
            "context": ANY_OBJECT,
            "integrations": ANY_OBJECT,
            "sentAt": TEXT,
            "writeKey": TEXT,
        },
    }
    paths["/v1/batch"] = _post(
        "Segment messages together; each has a `type`",
        {"application/json": {"schema": batch}},
        success,
    )
    return paths


def _other_paths() -> Json:
    ready = {
        "type": "object",
        "required": ["ready", "trouble"],
        "properties": {"ready": {"type": "boolean"}, "trouble": {"type": "array", "items": TEXT}},
    }
    key = {"name": "writeKey", "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
    settings = _get("The settings that analytics.js asks for", "application/json", ANY_OBJECT)
    settings["get"]["parameters"] = [key]
    settings["get"]["responses"]["404"] = _refused("No such path")
    readiness = _get("Whether events can be accepted, or what is wrong", "application/json", ready)
    readiness["get"]["responses"]["503"] = _answered("Not now", "application/json", ready)
    return {
        "/v1/projects/{writeKey}/settings": settings,
        "/healthz": _get("The process is alive", "application/json", ANY_OBJECT),
        "/readyz": readiness,
        "/metrics": _get("Counts, for Prometheus", "text/plain", TEXT),
        "/openapi.json": _get("This document", "application/json", ANY_OBJECT),
        "/docs": _get("This document, to read", "text/html", TEXT),
    }


def _post(summary: str, content: Json, answered: Json) -> Json:
    responses = {"200": _answered("Durable", "application/json", answered)}
    responses |= {status: _refused(meaning) for status, meaning in REFUSALS.items()}
    body = {"required": True, "content": content}
    return {"post": {"summary": summary, "requestBody": body, "responses": responses}}


def _get(summary: str, media_type: str, schema: Json) -> Json:
    responses = {"200": _answered(summary, media_type, schema)}
    return {"get": {"summary": summary, "security": [], "responses": responses}}


def _answered(description: str, media_type: str, schema: Json) -> Json:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _refused(description: str) -> Json:
    return _answered(description, "application/json", {"$ref": "#/components/schemas/Error"})


def _object(name: str, schema: Json) -> Json:
    return {"type": "object", "required": [name], "properties": {name: schema}}


def _event() -> Json:
    schema = json_schema(EVENTS)
    return {name: value for name, value in schema.items() if not name.startswith("$")}


def _error() -> Json:
    inner = {
        "type": "object",
        "required": ["code", "message", "hint"],
        "properties": {"code": TEXT, "message": TEXT, "hint": TEXT},
    }
    return _object("error", inner)
