"""Which changes of the OpenAPI document break those who were written against the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Node = dict[str, Any]

METHODS: Final = ("get", "post", "put", "delete", "patch")
DEEPEST: Final = 24
LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def breaking(old: Node, new: Node) -> list[str]:
    """List what breaks a caller: sentences, in the order of the old document.

    Gone are a path, a method, an answer or a member of one; wanted is a new input; refused is
    what was taken before. An answer may gain members, an input may gain optional ones.
    """
    found: list[str] = []
    for path, operations in old.get("paths", {}).items():
        present = new.get("paths", {}).get(path)
        if present is None:
            found.append(f"{path} is gone")
            continue
        for method in METHODS:
            if method not in operations:
                continue
            name = f"{method.upper()} {path}"
            if method not in present:
                found.append(f"{name} is gone")
            else:
                found += _operation(name, operations[method], present[method], old, new)
    return found


def _operation(name: str, before: Node, after: Node, old: Node, new: Node) -> Iterator[str]:
    yield from _parameters(name, before, after, (old, new))
    yield from _body(name, before.get("requestBody"), after.get("requestBody"), (old, new))
    yield from _answers(name, before["responses"], after["responses"], (old, new))
    if after.get("security") == []:
        return
    if before.get("security") == []:
        yield f"{name} wants a credential now"
    for role in set(before.get("x-roles", ())) - set(after.get("x-roles", ())):
        yield f"{name} is closed to the role {role}"


def _parameters(
    name: str, before: Node, after: Node, documents: tuple[Node, Node]
) -> Iterator[str]:
    known = {(each["in"], each["name"]): each for each in before.get("parameters", [])}
    present = {(each["in"], each["name"]): each for each in after.get("parameters", [])}
    for key, parameter in known.items():
        where = f"{name}: parameter {key[1]}"
        if key not in present:
            yield f"{where} is gone"
            continue
        if present[key].get("required") and not parameter.get("required"):
            yield f"{where} is required now"
        yield from _input(where, parameter["schema"], present[key]["schema"], documents)
    for key, parameter in present.items():
        if key not in known and parameter.get("required"):
            yield f"{name}: parameter {key[1]} is new and required"


def _answers(name: str, before: Node, after: Node, documents: tuple[Node, Node]) -> Iterator[str]:
    for status, answer in before.items():
        where = f"{name}: answer {status}"
        if status not in after:
            yield f"{where} is gone"
            continue
        contents = after[status].get("content", {})
        for kind, content in answer.get("content", {}).items():
            if kind not in contents:
                yield f"{where} is not {kind} any more"
            else:
                schema = content.get("schema", {})
                yield from _output(where, schema, contents[kind].get("schema", {}), documents)


def _body(
    name: str, before: Node | None, after: Node | None, documents: tuple[Node, Node]
) -> Iterator[str]:
    if before is None or after is None:
        if after is not None and after.get("required"):
            yield f"{name}: a body is new and required"
        return
    for kind, content in before["content"].items():
        if kind not in after["content"]:
            yield f"{name}: the body may not be {kind} any more"
            continue
        written = after["content"][kind].get("schema", {})
        yield from _input(f"{name}: body", content.get("schema", {}), written, documents)


def _resolved(schema: Node, document: Node) -> Node:
    while "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def _kinds(schema: Node, document: Node) -> dict[str, Node]:
    """Give what a schema allows, by the name of its kind."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices is None:
        return {str(schema.get("type", schema.get("const", "anything"))): schema}
    kinds: dict[str, Node] = {}
    for choice in choices:
        kinds.update(_kinds(_resolved(choice, document), document))
    return kinds


def _values(schema: Node) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(each) for each in schema["enum"]} if "enum" in schema else None


def _input(
    where: str, before: Node, after: Node, documents: tuple[Node, Node], depth: int = 0
) -> Iterator[str]:
    """Find what an input refuses that it took."""
    if depth > DEEPEST:
        return
    taken = _kinds(_resolved(before, documents[0]), documents[0])
    takes = _kinds(_resolved(after, documents[1]), documents[1])
    for kind, schema in taken.items():
        follows = takes.get(kind) or takes.get("anything")
        if follows is None:
            yield f"{where} may not be {kind} any more"
            continue
        values, left = _values(schema), _values(follows)
        if left is not None and (values is None or values - left):
            lost = ", ".join(sorted(values - left)) if values else "other values than before"
            yield f"{where} does not take {lost} any more"
        yield from _bounds(where, schema, follows)
        members = follows.get("properties", {})
        for name, member in schema.get("properties", {}).items():
            if name in members:
                yield from _input(f"{where}.{name}", member, members[name], documents, depth + 1)
            elif follows.get("additionalProperties") is False:
                yield f"{where}.{name} is not taken any more"
        for name in set(follows.get("required", ())) - set(schema.get("required", ())):
            yield f"{where}.{name} is required now"
        if "items" in schema and "items" in follows:
            yield from _input(f"{where}[]", schema["items"], follows["items"], documents, depth + 1)


def _bounds(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in LOWER_BOUNDS:
        if name in after and after[name] > before.get(name, float("-inf")):
            yield f"{where} has a higher {name}"
    for name in UPPER_BOUNDS:
        if name in after and after[name] < before.get(name, float("inf")):
            yield f"{where} has a lower {name}"
    if "pattern" in after and after["pattern"] != before.get("pattern"):
        yield f"{where} has another pattern"


def _output(
    where: str, before: Node, after: Node, documents: tuple[Node, Node], depth: int = 0
) -> Iterator[str]:
    """Find what an answer lacks that it had, or says that it never said."""
    if depth > DEEPEST:
        return
    given = _kinds(_resolved(before, documents[0]), documents[0])
    gives = _kinds(_resolved(after, documents[1]), documents[1])
    for kind in gives:
        if kind not in given and "anything" not in given:
            yield f"{where} can be {kind} now"
    for kind, schema in given.items():
        if kind in gives:
            yield from _members(where, schema, gives[kind], documents, depth)


def _members(
    where: str, before: Node, after: Node, documents: tuple[Node, Node], depth: int
) -> Iterator[str]:
    values, said = _values(before), _values(after)
    if values is not None and (said is None or said - values):
        more = ", ".join(sorted(said - values)) if said else "anything"
        yield f"{where} can be {more} now"
    members = after.get("properties", {})
    for name, member in before.get("properties", {}).items():
        if name not in members:
            yield f"{where}.{name} is gone"
            continue
        if name in before.get("required", ()) and name not in after.get("required", ()):
            yield f"{where}.{name} can be absent now"
        yield from _output(f"{where}.{name}", member, members[name], documents, depth + 1)
    if "items" in before and "items" in after:
        yield from _output(f"{where}[]", before["items"], after["items"], documents, depth + 1)
