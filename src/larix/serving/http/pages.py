"""Two pages that need nothing from elsewhere: one to try the classifier, one that describes the API."""

import json
from collections.abc import Mapping
from typing import Any

from larix.html_page import page_environment
from larix.serving.http.bearer_token import OPEN_PATHS
from larix.serving.http.service import ServiceSettings

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


def try_page(settings: ServiceSettings) -> str:
    """The page to type a text and see labels, scores and reasons."""
    return _rendered("try.html", settings=settings)


def api_page(description: Mapping[str, Any], settings: ServiceSettings, address: str) -> str:
    """The page that describes paths, fields and errors.

    Parameters
    ----------
    description : mapping
        In the form of OpenAPI.
    settings : ServiceSettings
    address : str
        Where callers reach the service, for examples.
    """
    operations = [
        _operation(method.upper(), path, operation, description["components"]["schemas"])
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    return _rendered("api.html", settings=settings, operations=operations, address=address.rstrip("/"))


def _rendered(template: str, **values: Any) -> str:
    return page_environment("larix.serving.http").get_template(template).render(**values)


def _operation(
    method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    fields = [
        (parameter["name"], _type(parameter["schema"]), parameter.get("required", False), _told(parameter))
        for parameter in operation.get("parameters", ())
    ]
    return {
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "is_open": path in OPEN_PATHS,
        "asked": fields + (_fields(body, schemas) if body else []),
        "answers": [
            (status, response["description"], _fields(_schema_of(response), schemas))
            for status, response in operation["responses"].items()
        ],
        "example": _example(schemas[_name(body)]) if body else None,
    }


def _schema_of(response: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = response.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _fields(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, str, bool, str]]:
    """Name, type, whether it must be given, and meaning of every field; those of objects below with dots."""
    if not (name := _name(schema)):
        return []
    found = []
    required = schemas[name].get("required", [])
    for field, content in schemas[name]["properties"].items():
        inner = content if _name(content) else content.get("items", {})
        found.append((prefix + field, _type(content), field in required, _told(content)))
        found += _fields(inner, schemas, f"{prefix}{field}{'[]' if 'items' in content else ''}.")
    return found


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "items" in schema:
        inner = "object" if _name(schema["items"]) else _type(schema["items"])
        return f"list of {inner}"
    return "object" if _name(schema) else str(schema.get("type", "any"))


def _told(schema: Mapping[str, Any]) -> str:
    default = schema.get("default", schema.get("schema", {}).get("default"))
    words = str(schema.get("description", ""))
    return f"{words} Default: {json.dumps(default)}." if default not in (None, "") else words


def _example(schema: Mapping[str, Any]) -> str:
    values = {
        name: field["examples"][0] for name, field in schema["properties"].items() if "examples" in field
    }
    return json.dumps(values)
