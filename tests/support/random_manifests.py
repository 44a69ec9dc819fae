"""Random manifests over the structural schemas of our CRDs, most of what one says being plausible.

A schema tells of each value what it may be, so that a field which is added to a CRD is in these
manifests at once. What the schema cannot tell is in the tables here: sources that are Python,
interpreters that exist, small numbers where seconds are counted. Now and then all of that is left
out, and a field is missing, or has another type than it must have.
"""

from __future__ import annotations

import importlib
import os
import random
import re
import string
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import yaml
from dev.checkout import CHECKOUT

from enso_operator.api.document import is_document
from job_execution_framework.domain.values import is_list
from tests.support.resources import Document

Schema = dict[str, Any]

SANE = 0.995
"""How likely a single value is what its schema demands."""
SOURCES = (
    "def main(**args): pass",
    "def main(**args): print('frame', args)",
    "def main(**args): return {'frames': 240}",
    "def main(**args): raise ValueError('240 frames are too many')",
    "import sys\ndef main(**args): sys.exit(3)",
    "import os\ndef main(**args): os._exit(1)",
    "def main(shot, frames=1): return frames",
    "def main(**args):\n    print('openjd_progress: 50')\n    print('openjd_fail: no licence')",
    "def main(:",
    "print('no main')",
)
INTERPRETERS = ([sys.executable], [sys.executable], [sys.executable, "-I"], ["no-such-hython"])
WORDS = (
    *("open", "do", "save", "houdini", "main", "a", "shot-010", "publish"),
    *("SHOT", "FRAMES", "json:dumps", "os.path:join", "example_script", "0", "1", "1.5", "512Mi"),
    *(
        "/var/cache",
        "/shots/010",
        "key",
        "studio.example/kind",
        "é",
        "two words",
        "1Gi",
        ".*",
        "ValueError",
    ),
)
KEYS_OF_MAPS = ("shot", "frames", "memory", "cpu", "A_B", "studio.example/kind")
ANYTHING: tuple[object, ...] = (
    *(0, 1, -7, 1.5, "", "010", "é\n", True, None, [], {}, [1, [None]], {"a": {"b": [1.5, "x"]}}),
    *("$(params.shot)", "$$(params.shot)", 2**40),
)
_EXACTLY_ONE = re.compile(r"\(has\(self\.(\w+)\) \? 1 : 0\)")
_OF_EACH_SCRIPT = re.compile(r"self\.(\w+)\.all\(s, (.*)\)")
_PARSER: Any = importlib.import_module("re._parser")


@cache
def specs() -> dict[str, Schema]:
    """Return the schema of the spec of each kind, as the API server is given it."""
    found: dict[str, Schema] = {}
    for path in sorted((CHECKOUT / "deploy" / "crds").glob("*.yaml")):
        crd = yaml.safe_load(path.read_text())["spec"]
        schema = crd["versions"][0]["schema"]["openAPIV3Schema"]
        found[crd["names"]["kind"]] = _with_rules_of_scripts(schema["properties"]["spec"])
    return found


def _with_rules_of_scripts(spec: Schema) -> Schema:
    """Return a spec whose scripts have the rules that the job has for each of them."""
    for rule in spec.get("x-kubernetes-validations", ()):
        if of_each := _OF_EACH_SCRIPT.search(rule["rule"]):
            listed, holds = of_each.groups()
            items: Schema = spec["properties"][listed]["items"]
            own = {"rule": holds.replace("(s.", "(self.")}
            items.setdefault("x-kubernetes-validations", []).append(own)
    return spec


class RandomManifests:
    """Manifests of a seed, the same ones at each run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  # no secret

    def of(self, kind: str, name: str) -> Document:
        """Return a manifest of this kind."""
        spec = self.value(specs()[kind], "spec")
        if kind == "EnsoJob" and is_document(spec) and self._likely(0.9):
            self._mend(spec)
        return {
            "apiVersion": "enso.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }

    def value(self, schema: Schema, name: str) -> Any:  # noqa: ANN401  # whatever the schema says
        """Return a value that the schema takes, or, seldom, some other one."""
        if not self._likely(SANE):
            return self.random.choice(ANYTHING)
        special: dict[str, Callable[[], object]] = {
            "source": lambda: self.random.choice(SOURCES),
            "interpreter": lambda: list(self.random.choice(INTERPRETERS)),
        }
        if name in special:
            return special[name]()
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kind = schema.get("type")
        if schema.get("x-kubernetes-int-or-string"):
            kind = self.random.choice(["integer", "string"])
        makers: dict[str, Callable[[Schema, str], object]] = {
            "string": self._text,
            "integer": self._number,
            "number": self._number,
            "boolean": lambda _schema, _name: self._likely(0.5),
            "array": self._list,
            "object": self._object,
        }
        if kind not in makers:
            return self.random.choice(ANYTHING)
        return makers[kind](schema, name)

    def _likely(self, chance: float) -> bool:
        return self.random.random() < chance

    def _number(self, schema: Schema, name: str) -> float:
        least, most = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31)
        if "Seconds" in name and self._likely(0.95):
            most = min(most, least + 2)
        if self._likely(0.9):
            most = min(most, max(least, 0) + 5)
        least = max(least, 0) if self._likely(0.9) else least
        if schema.get("type") == "number" and self._likely(0.3):
            return self.random.uniform(least, most)
        return self.random.randint(int(least), int(most))

    def _text(self, schema: Schema, name: str) -> str:
        if schema.get("format") == "date-time":
            return "2026-11-29T12:00:00Z"
        least: int = schema.get("minLength", 0)
        most: int = schema.get("maxLength", 64)
        fits = re.compile(schema.get("pattern", ""), re.DOTALL)
        words = [word for word in WORDS if fits.search(word) and least <= len(word) <= most]
        if words and self._likely(0.97):
            return str(self.random.choice(words))
        if "pattern" not in schema:
            return "x" * self.random.choice([least, most])
        for _ in range(20):
            text = "".join(self._matching(_PARSER.parse(schema["pattern"])))
            if least <= len(text) <= most and fits.search(text):
                return text
        raise AssertionError(f"{name}: no text that matches {schema['pattern']} was found")

    def _matching(self, parsed: Any) -> Iterator[str]:  # noqa: ANN401  # re has no types for it
        """Yield the parts of a text that matches a parsed regular expression."""
        for operation, argument in parsed:
            match str(operation):
                case "LITERAL":
                    yield chr(argument)
                case "NOT_LITERAL":
                    yield "y" if chr(argument) == "x" else "x"
                case "ANY":
                    yield "x"
                case "IN":
                    yield self._one_of(argument)
                case "MAX_REPEAT" | "MIN_REPEAT":
                    least, most, repeated = argument
                    for _ in range(self.random.randint(least, min(int(most), least + 3))):
                        yield from self._matching(repeated)
                case "SUBPATTERN":
                    yield from self._matching(argument[-1])
                case "BRANCH":
                    yield from self._matching(self.random.choice(argument[1]))
                case _:  # AT: where the text begins or ends
                    pass

    def _one_of(self, characters: Any) -> str:  # noqa: ANN401  # re has no types for it
        """Return one character of a class such as [a-z]."""
        pattern = re.compile("[" + "".join(_written(*part) for part in characters) + "]")
        fitting = [text for text in string.printable if pattern.match(text)]
        return self.random.choice(fitting)

    def _list(self, schema: Schema, name: str) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
        count = min(most, max(least, self.random.choice([0, 1, 1, 2, 3])))
        if not self._likely(0.995):
            count = most
        items = [self.value(schema["items"], name) for _ in range(min(count, 20))]
        keys = schema.get("x-kubernetes-list-map-keys")
        if schema.get("x-kubernetes-list-type") == "set":
            return list({str(item): item for item in items}.values())
        if keys and self._likely(0.98):
            return list({str(_at(item, keys[0])): item for item in items}.values())
        return items

    def _object(self, schema: Schema, name: str) -> Document:
        if "properties" not in schema:
            return self._map(schema, name)
        fields: dict[str, Schema] = schema["properties"]
        chosen = {field for field in fields if self._likely(0.25)} | {*schema.get("required", ())}
        for rule in schema.get("x-kubernetes-validations", ()):
            if alternatives := _EXACTLY_ONE.findall(rule["rule"]):
                chosen -= {*alternatives}
                weights = [6, *[1] * (len(alternatives) - 1)]
                chosen.add(self.random.choices(alternatives, weights)[0])
        for exclusive in schema.get("anyOf", ())[1:]:
            chosen -= {*exclusive["not"]["required"]}
        if not self._likely(SANE):
            chosen ^= {self.random.choice([*fields])}
        return {field: self.value(fields[field], field) for field in fields if field in chosen}

    def _map(self, schema: Schema, name: str) -> Document:
        most = min(schema.get("maxProperties", 3), 3)
        keys = self.random.sample(KEYS_OF_MAPS, self.random.randint(0, most))
        return {key: self.value(schema.get("additionalProperties", {}), name) for key in keys}

    def _mend(self, spec: Document) -> None:
        """Let scripts name sessions that exist, one after the other, and have what they need."""
        sessions = [session for session in _items(spec, "sessions") if "name" in session]
        if not _items(spec, "scripts"):
            spec.pop("sessions", None)
        for session in sessions:
            _keep_mounts(session)
        for script in _items(spec, "scripts"):
            script.pop("session", None)
            if "scriptRef" in script and self._likely(0.7):
                script["scriptRef"] = {"name": "example_script"}
            if self._likely(0.8):
                script.pop("argsFrom", None)
            if "container" in script and is_document(script["container"]):
                for field in ("setup", "args"):
                    script.pop(field, None)
                _keep_mounts(script["container"])
        if sessions and len(_items(spec, "scripts")) > 1 and self._likely(0.5):
            last = _items(spec, "scripts")[-1]
            if "container" not in last:
                last["session"] = sessions[-1]["name"]


def _written(operation: object, argument: Any) -> str:  # noqa: ANN401  # re has no types for it
    """Return a part of a class of characters as it is written."""
    match str(operation):
        case "NEGATE":
            return "^"
        case "RANGE":
            return f"\\x{argument[0]:02x}-\\x{argument[1]:02x}"
        case "LITERAL":
            return f"\\x{argument:02x}"
        case _:  # a category such as \s
            return {"CATEGORY_SPACE": r"\s", "CATEGORY_DIGIT": r"\d"}[str(argument)]


def _at(item: object, key: str) -> object:
    return item.get(key) if is_document(item) else item


def _items(document: Document, field: str) -> list[Document]:
    found = document.get(field)
    return [item for item in found if is_document(item)] if is_list(found) else []


def _keep_mounts(pod: Document) -> None:
    """Drop mounts of volumes that are not there."""
    volumes = [volume.get("name") for volume in _items(pod, "volumes")]
    if "volumeMounts" in pod:
        mounts = _items(pod, "volumeMounts")
        pod["volumeMounts"] = [mount for mount in mounts if mount.get("name") in volumes]


def count(usual: int) -> int:
    """Return how many manifests a test makes: RANDOM_MANIFESTS in the environment goes first."""
    return int(os.environ.get("RANDOM_MANIFESTS") or usual)


def is_settled(status: Document) -> bool:
    """Whether a job has ended, or waits for somebody: to let it go, or for its template."""
    state = condition(status, "Succeeded").get("reason")
    waits = state == "Suspended" or status.get("reason") == "TemplateNotFound"
    return waits or condition(status, "Finished").get("status") == "True"


def unexplained(status: Document) -> list[str]:
    """Return what is missing of an explanation of the state that a settled job is in."""
    succeeded, missing = condition(status, "Succeeded"), list[str]()
    missing += [field for field in ("reason", "message") if not succeeded.get(field)]
    if succeeded.get("status") == "False" and succeeded.get("reason") != "Cancelled":
        missing += [field for field in ("why", "reason") if not status.get(field)]
    if succeeded.get("reason") == "Waiting" and not status.get("reason"):
        missing += ["reason of waiting"]
    return missing


def condition(status: Document, kind: str) -> Document:
    """Return a condition of a status; empty where it has none of this kind."""
    conditions: list[Document] = status.get("conditions") or []
    return next((found for found in conditions if found["type"] == kind), Document())
