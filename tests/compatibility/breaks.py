"""What a change to the OpenAPI document breaks: for clients that are in use, and for code that uses generated names.

A client in use writes what it wrote before, and reads what it was told it would get: so a request must take no less
than before, and an answer must hold no less and nothing new where a client has a closed list. What cannot be judged
counts as broken.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Json = Mapping[str, Any]

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_MAX_BODY = 4 * 1024 * 1024

_AT_LEAST = frozenset({"minLength", "minimum", "minItems", "minProperties"})
_AT_MOST = frozenset({"maxLength", "maximum", "maxItems", "maxProperties"})

# Compared by rules of their own, or for people alone.
_JUDGED = frozenset({"$ref", "enum", "nullable", "required", "properties", "additionalProperties", "items"})
_FOR_PEOPLE = frozenset({"description", "title", "example", "examples", "externalDocs", "deprecated"})
_NAMES_OF_VALUES = "x-enum-varnames"


class Way(Enum):
    REQUEST = "takes"
    ANSWER = "gives"


def breaks(released: Json, present: Json) -> Sequence[str]:
    """A sentence for each thing that would break a client."""
    return list(dict.fromkeys(_Comparison(released, present).all()))


@dataclass(frozen=True)
class _Comparison:
    released: Json
    present: Json
    _compared: set[tuple[str, str, Way]] = field(default_factory=set)

    def all(self) -> Iterator[str]:
        yield from _gone(
            "The schema {}, after which generated code is named, is gone.",
            (name for name, schema in _schemas(self.released).items() if not schema.get("x-internal")),
            _schemas(self.present),
        )
        for path, item in self.released["paths"].items():
            for method in sorted(item.keys() & _METHODS):
                old, new = item[method], self.present["paths"].get(path, {}).get(method)
                if new is None:
                    yield f"{method.upper()} {path} is gone."
                else:
                    yield from self._operation(old["operationId"], old, new)

    def _operation(self, name: str, old: Json, new: Json) -> Iterator[str]:
        if new["operationId"] != name:
            yield f"{name} is called {new['operationId']}: generated methods are named after it."
        if new["tags"][:1] != old["tags"][:1]:
            yield f"{name} has another tag: generated classes are named after it."
        if new.get("x-internal", False) and not old.get("x-internal", False):
            yield f"{name} is left out of generated clients."
        for scope in sorted(set(new.get("x-required-scopes", ())) - set(old.get("x-required-scopes", ()))):
            yield f"{name} asks for the scope {scope}."
        if new.get("x-max-body", _MAX_BODY) < old.get("x-max-body", _MAX_BODY):
            yield f"{name} takes less in a body."
        yield from self._security(name, old, new)
        yield from self._parameters(name, old, new)
        yield from self._body(name, old, new)
        yield from self._answers(name, old, new)

    def _security(self, name: str, old: Json, new: Json) -> Iterator[str]:
        was, now = (
            {frozenset(each) for each in operation.get("security", document.get("security", ())) or [{}]}
            for operation, document in ((old, self.released), (new, self.present))
        )
        # Who needs nothing can do with anything: an operation that has become free takes all tokens.
        if frozenset() not in now:
            for way in sorted(was - now, key=sorted):
                yield f"{name} no longer takes {' with '.join(sorted(way)) or 'calls without a token'}."
        for scheme in sorted({scheme for way in was & now for scheme in way}):
            before, after = (each["components"]["securitySchemes"][scheme] for each in (self.released, self.present))
            if any(before.get(key) != after.get(key) for key in ("type", "scheme", "in", "name")):
                yield f"{scheme} is sent in another way."

    def _parameters(self, name: str, old: Json, new: Json) -> Iterator[str]:
        was, now = self._parameters_of(old, self.released), self._parameters_of(new, self.present)
        yield from _gone(f"{name} no longer has the parameter {{}}.", was, now)
        if [each for each in now if each in was] != [each for each in was if each in now]:
            yield f"{name} has its parameters in another order, in which generated methods take them."
        elif any(each in was for each in list(now)[len(was) :]):
            yield f"{name} has a new parameter before others, whose places in generated methods change."
        for each, parameter in now.items():
            before = was.get(each)
            if parameter.get("required", False) and not (before and before.get("required", False)):
                yield f"{name} asks for the parameter {each}."
            if before:
                if any(before.get(key) != parameter.get(key) for key in ("style", "explode", "allowReserved")):
                    yield f"{name} reads the parameter {each} in another way."
                yield from self._schema(f"{name}: {each}", before["schema"], parameter["schema"], Way.REQUEST)

    def _parameters_of(self, operation: Json, document: Json) -> Mapping[str, Json]:
        found = [_resolved(each, document) for each in operation.get("parameters", ())]
        return {f"{each['name']} in {each['in']}": each for each in found}

    def _body(self, name: str, old: Json, new: Json) -> Iterator[str]:
        was = _resolved(old.get("requestBody", {}), self.released)
        now = _resolved(new.get("requestBody", {}), self.present)
        if now.get("required", False) and not was.get("required", False):
            yield f"{name} asks for a body."
        yield from self._content(f"{name}: the body", was, now, Way.REQUEST)

    def _answers(self, name: str, old: Json, new: Json) -> Iterator[str]:
        was, now = (
            {status: _resolved(each, document) for status, each in operation["responses"].items()}
            for operation, document in ((old, self.released), (new, self.present))
        )
        good_before, good_now = ({each for each in statuses if each < "300"} for statuses in (was, now))
        if good_before != good_now:
            yield f"{name} succeeds with {', '.join(sorted(good_now))} instead of {', '.join(sorted(good_before))}."
        for status in sorted(was.keys() & now.keys()):
            shared = _named(old["responses"][status])
            where = f"The answer {shared}" if shared else f"{name}: the answer {status}"
            yield from self._content(where, was[status], now[status], Way.ANSWER)
            headers = now[status].get("headers", {})
            for header, before in was[status].get("headers", {}).items():
                if header not in headers or (before.get("required") and not headers[header].get("required")):
                    yield f"{where} no longer has {header} for certain."
                else:
                    yield from self._schema(
                        f"{where}: {header}", before["schema"], headers[header]["schema"], Way.ANSWER
                    )

    def _content(self, where: str, old: Json, new: Json, way: Way) -> Iterator[str]:
        was, now = old.get("content", {}), new.get("content", {})
        yield from _gone(f"{where} is no longer to be had as {{}}.", was, now)
        for media_type in sorted(was.keys() & now.keys()):
            yield from self._schema(where, was[media_type]["schema"], now[media_type]["schema"], way)

    def _schema(self, where: str, old: Json, new: Json, way: Way) -> Iterator[str]:
        was, now = _named(old), _named(new)
        if was != now:
            yield f"{where} is {now or 'without a name'} instead of {was or 'without a name'} in generated code."
            return
        yield from self._nullable(where, old, new, way)
        if was and now:
            if (was, now, way) in self._compared:
                return
            self._compared.add((was, now, way))
            where = was
        yield from self._values(where, _flat(old, self.released), _flat(new, self.present), way)

    def _nullable(self, where: str, old: Json, new: Json, way: Way) -> Iterator[str]:
        was, now = (
            each.get("nullable", False) or _flat(each, document).get("nullable", False)
            for each, document in ((old, self.released), (new, self.present))
        )
        if way is Way.REQUEST and was and not now:
            yield f"{where} no longer takes null."
        if way is Way.ANSWER and now and not was:
            yield f"{where} may be null."

    def _values(self, where: str, old: Json, new: Json, way: Way) -> Iterator[str]:
        yield from self._enum(where, old, new, way)
        for keyword in sorted((old.keys() | new.keys()) - _JUDGED - _FOR_PEOPLE):
            before, after = old.get(keyword), new.get(keyword)
            limits = (before, after) if way is Way.REQUEST else (after, before)
            if before != after and not keyword.startswith("x-") and not _lets_more_through(keyword, *limits):
                yield f"{where} has {keyword} {after} instead of {before}."
        was, now = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(now - was) if way is Way.REQUEST else ():
            yield f"{where} asks for {name}."
        for name in sorted((was - now) & new.get("properties", {}).keys()) if way is Way.ANSWER else ():
            yield f"{where} may be without {name}."
        properties = new.get("properties", {})
        yield from _gone(f"{where} no longer {way.value} {{}}.", old.get("properties", {}), properties)
        for name, schema in old.get("properties", {}).items():
            if name in properties:
                yield from self._schema(f"{where}.{name}", schema, properties[name], way)
        yield from self._others(where, old, new, way)
        if "items" in old and "items" in new:
            yield from self._schema(f"{where}: each", old["items"], new["items"], way)

    def _enum(self, where: str, old: Json, new: Json, way: Way) -> Iterator[str]:
        was, now = old.get("enum"), new.get("enum")
        if was is None and now is not None and way is Way.REQUEST:
            yield f"{where} takes values of a list alone."
        if was is not None and now is None and way is Way.ANSWER:
            yield f"{where} gives values of no list."
        if was is not None and now is not None:
            # Of an answer as well: generated code has a name for each.
            yield from _gone(f"{where} no longer {way.value} {{}}.", was, now)
            if way is Way.ANSWER:
                yield from _gone(f"{where} gives {{}}, which clients do not know.", now, was)
        names_before, names_now = (
            dict(zip(each.get("enum", ()), each.get(_NAMES_OF_VALUES, ()), strict=False)) for each in (old, new)
        )
        if any(names_before.get(value) != names_now.get(value) for value in set(was or ()) & set(now or ())):
            yield f"{where} has other names for its values in generated code."

    def _others(self, where: str, old: Json, new: Json, way: Way) -> Iterator[str]:
        """Properties without a name."""
        match old.get("additionalProperties", True), new.get("additionalProperties", True):
            case Mapping() as before, Mapping() as after:
                yield from self._schema(f"{where}: each", before, after, way)
            case (True, False) if way is Way.REQUEST:
                yield f"{where} refuses properties that it does not know."
            case (Mapping(), _) | (_, Mapping()):
                yield f"{where} has other properties of another kind."


def _schemas(document: Json) -> Mapping[str, Json]:
    schemas: Mapping[str, Json] = document["components"]["schemas"]
    return schemas


def _resolved(value: Json, document: Json) -> Json:
    if "$ref" not in value:
        return value
    found: Any = document
    for name in value["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return _resolved(found, document)


def _reference(schema: Json) -> str | None:
    """`allOf` with one schema is how a reference gets a description or `nullable`."""
    match schema:
        case {"$ref": str() as reference} | {"allOf": [{"$ref": str() as reference}]}:
            return reference
        case _:
            return None


def _named(schema: Json) -> str | None:
    reference = _reference(schema)
    return None if reference is None else reference.rpartition("/")[2]


def _flat(schema: Json, document: Json) -> Json:
    reference = _reference(schema)
    return schema if reference is None else _resolved({"$ref": reference}, document)


def _gone(sentence: str, released: Iterable[str], present: Collection[str]) -> Iterator[str]:
    return (sentence.format(each) for each in released if each not in present)


def _lets_more_through(keyword: str, before: Any, after: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether a limit is wider than it was, or gone; of what is no limit nobody can tell."""
    if before is None:
        return False
    if keyword in _AT_LEAST:
        return after is None or bool(after < before)
    if keyword in _AT_MOST:
        return after is None or bool(after > before)
    return keyword == "pattern" and after is None
