"""What AWS's service models say of an answer, held against its raw bytes: botocore's own parser overlooks most mistakes."""

import base64
import binascii
import json
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from functools import cache

from support.broker import ROOT

GENERATED = ROOT / "crates/api/src/generated"
# Seconds since 1970 that a date of an answer may be: neither milliseconds nor the epoch itself.
TIME_MIN, TIME_MAX = 1e9, 1e10
# Errors of the signature and the transport, which no operation declares.
COMMON_QUERY_ERRORS = {"ValidationError": 400, "AccessDenied": 403, "InvalidInput": 400}
COMMON_ERRORS = {"InternalFailureException", "ServiceUnavailableException", "ThrottlingException", "UnauthorizedException"}


def served(service):
    """The operations with a handler, as the generated dispatch lists them."""
    return re.findall(r'^\s*"(\w+)" =>', (GENERATED / service.replace("-", "_") / "mod.rs").read_text(), re.M)


@cache
def model(service):
    """botocore's model of a service, as the repository keeps it."""
    return json.loads((ROOT / "tests/data/aws" / service / "service-2.json").read_text())


@cache
def expression(pattern):
    """A pattern of a model as Python understands it; letters, digits and separators within the first plane."""
    for name in ("L", "N", "Z"):
        if rf"\p{{{name}}}" in pattern:
            members = (chr(c) for c in range(0x10000) if unicodedata.category(chr(c))[0] == name)
            pattern = pattern.replace(rf"\p{{{name}}}", "".join(map(re.escape, members)))
    # Java's \uXXXX are four digits; its surrogates and what follows them are not told apart here.
    pattern = pattern.replace(r"\u10000-\u10FFFF", "")
    return re.compile(pattern.replace(r"\p{Graph}", "!-~").replace(r"\x20", " "), re.S)


def problems(service, shape, value, at=""):
    """What is wrong with `value` as a `shape` of a JSON body, one sentence each."""
    known = model(service)["shapes"][shape]
    return list(CHECKS[known["type"]](service, known, value, at or shape))


def structure(service, known, value, at):
    if not isinstance(value, dict):
        yield f"{at}: not an object: {value!r}"
        return
    members = {n: m for n, m in known.get("members", {}).items() if "location" not in m}
    for name in known.get("required", []):
        if name in members and name not in value:
            yield f"{at}: {name} is missing"
    for name, one in value.items():
        if name not in members:
            yield f"{at}: there is no member {name}"
        else:
            yield from problems(service, members[name]["shape"], one, f"{at}.{name}")


def text(service, known, value, at):
    if not isinstance(value, str):
        yield f"{at}: not a string: {value!r}"
        return
    if "enum" in known and value not in known["enum"]:
        yield f"{at}: {value!r} is none of {known['enum']}"
    if "pattern" in known and not expression(known["pattern"]).fullmatch(value):
        yield f"{at}: {value!r} is not {known['pattern']}"
    yield from bounds(known, at, len(value), "characters")


def number(service, known, value, at):
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{at}: not an integer: {value!r}"
        return
    yield from bounds(known, at, value, "as a number")


def fraction(service, known, value, at):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{at}: not a number: {value!r}"


def boolean(service, known, value, at):
    if not isinstance(value, bool):
        yield f"{at}: not a boolean: {value!r}"


def timestamp(service, known, value, at):
    """Seconds since 1970 in JSON, milliseconds behind the point."""
    assert known.get("timestampFormat", "unixTimestamp") == "unixTimestamp", "teach this function the other formats"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{at}: not a number of seconds: {value!r}"
    elif not TIME_MIN < value < TIME_MAX:
        yield f"{at}: {value!r} are no seconds of our time"
    elif abs(value * 1000 - round(value * 1000)) > 0.01:
        yield f"{at}: {value!r} has more than milliseconds"


def blob(service, known, value, at):
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, binascii.Error):
        yield f"{at}: not base64: {value!r}"


def many(service, known, value, at):
    if not isinstance(value, list):
        yield f"{at}: not a list: {value!r}"
        return
    yield from bounds(known, at, len(value), "items")
    for i, one in enumerate(value):
        yield from problems(service, known["member"]["shape"], one, f"{at}[{i}]")


def mapping(service, known, value, at):
    if not isinstance(value, dict):
        yield f"{at}: not a map: {value!r}"
        return
    yield from bounds(known, at, len(value), "entries")
    for key, one in value.items():
        yield from problems(service, known["key"]["shape"], key, f"{at} key")
        yield from problems(service, known["value"]["shape"], one, f"{at}[{key!r}]")


def bounds(known, at, size, what):
    if size < known.get("min", size) or size > known.get("max", size):
        yield f"{at}: {size} {what}, and not {known.get('min', 0)} to {known.get('max')}"


CHECKS = {
    "structure": structure, "string": text, "integer": number, "long": number, "float": fraction, "double": fraction,
    "boolean": boolean, "timestamp": timestamp, "blob": blob, "list": many, "map": mapping,
}  # fmt: skip


def answer_problems(service, operation, response):
    """What is wrong with a whole answer: botocore's `response_dict` before it was parsed."""
    known = model(service)["operations"][operation]
    status, body = response["status_code"], response["body"]
    headers = {name.lower(): value for name, value in response["headers"].items()}
    found = [] if headers.get("x-amzn-requestid") else ["there is no x-amzn-RequestId"]
    if status >= 400:
        return found + error_problems(service, known, status, headers, body)
    if status != known["http"].get("responseCode", 200):
        found.append(f"the status is {status}")
    output = known.get("output", {}).get("shape")
    if output and "payload" in model(service)["shapes"][output]:
        document = json.loads(body.read())  # whose members the model does not name
        return found if isinstance(document, dict) else [*found, "the body is no object"]
    if model(service)["metadata"]["protocol"] == "query":
        return found + query_problems(service, operation, known.get("output"), body)
    members = model(service)["shapes"][output].get("members", {}) if output else {}
    for name, member in members.items():
        assert "location" not in member, f"teach this function {member['location']} of {name}"
    if not output:
        return found + (["a body, and the model has none"] if body else [])
    if headers.get("content-type") != media_type(service):
        found.append(f"the body is {headers.get('content-type')}")
    return found + problems(service, output, json.loads(body))


def media_type(service):
    """Of JSON answers."""
    metadata = model(service)["metadata"]
    return f"application/x-amz-json-{metadata['jsonVersion']}" if metadata["protocol"] == "json" else "application/json"


def error_problems(service, known, status, headers, body):
    shapes = model(service)["shapes"]
    if model(service)["metadata"]["protocol"] == "query":
        return query_error_problems(service, known, status, body)
    targeted = model(service)["metadata"]["protocol"] == "json"
    name = json.loads(body).get("__type", "") if targeted else headers.get("x-amzn-errortype", "")
    declared = {e["shape"] for e in known.get("errors", [])}
    if name not in declared | COMMON_ERRORS:
        return [f"{name} is none of the operation's errors, {sorted(declared)}"]
    shape = shapes.get(name, {})
    found = [] if status == shape.get("error", {}).get("httpStatusCode", status) else [f"{name} with status {status}"]
    value = json.loads(body)
    if targeted:
        value.pop("__type")
    if not value.get("message"):
        found.append(f"{name} says nothing")
    # Errors without members have a message all the same.
    return found + (problems(service, name, value) if shape.get("members") else [])


def query_error_problems(service, known, status, body):
    """XML errors are told by the code of their shape."""
    root = ElementTree.fromstring(body)
    space = "{" + model(service)["metadata"]["xmlNamespace"] + "}"
    texts = {tag: root.findtext(f"{space}Error/{space}{tag}") for tag in ("Type", "Code", "Message")}
    errors = [model(service)["shapes"][e["shape"]].get("error", {}) for e in known.get("errors", [])]
    declared = {error["code"]: error["httpStatusCode"] for error in errors} | COMMON_QUERY_ERRORS
    if not all(texts.values()) or not root.findtext(f"{space}RequestId"):
        return [f"the error lacks something: {texts}"]
    if declared.get(texts["Code"]) != status:
        return [f"{texts['Code']} with {status} is none of the operation's errors, {declared}"]
    return []


def query_problems(service, operation, output, body):
    """The XML of a query service."""
    root = ElementTree.fromstring(body)
    space = "{" + model(service)["metadata"]["xmlNamespace"] + "}"
    if root.tag != f"{space}{operation}Response":
        return [f"the root is {root.tag}"]
    found = [] if root.find(f"{space}ResponseMetadata/{space}RequestId") is not None else ["there is no RequestId"]
    if output is None:
        return found + [f"there is {child.tag}" for child in root if child.tag != f"{space}ResponseMetadata"]
    result = root.find(f"{space}{output['resultWrapper']}")
    return found + problems(service, output["shape"], xml_value(service, output["shape"], result, space))


def xml_value(service, shape, element, space):
    """An element as the JSON value that the checks know."""
    known = model(service)["shapes"][shape]
    match known["type"]:
        case "structure":
            members = known.get("members", {})
            tags = [(child.tag.removeprefix(space), child) for child in element]
            return {tag: xml_value(service, members[tag]["shape"], child, space) if tag in members else None for tag, child in tags}
        case "list":
            return [xml_value(service, known["member"]["shape"], child, space) for child in element]
        case "integer" | "long":
            return int(element.text)
        case "boolean":
            return {"true": True, "false": False}[element.text]
        case "timestamp":
            return datetime.strptime(element.text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        case _:
            return element.text or ""
