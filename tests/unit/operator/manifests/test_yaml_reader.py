"""Files that hold no document of a job, and what is told about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from job_execution_framework.domain.values import TOO_DEEP
from tests.support.manifests import HEAD, refusal, script, spec

FILES = {
    "nothing": ("", "is empty: write an EnsoJob into it"),
    "a comment": ("# later\n---\n", "is empty: write an EnsoJob into it"),
    "a list": (
        "- 1",
        "holds a list, not a mapping: an EnsoJob begins with `apiVersion: enso.dev/v1alpha1`",
    ),
    "another kind": (
        "apiVersion: v1\nkind: Pod",
        (
            "kind is 'Pod', but only an EnsoJob can be run: write `apiVersion: "
            "enso.dev/v1alpha1` and `kind: EnsoJob`"
        ),
    ),
    "another version": (
        "apiVersion: enso.dev/v9\nkind: EnsoJob",
        (
            "apiVersion is 'enso.dev/v9', which is unknown here: write `apiVersion: "
            "enso.dev/v1alpha1` and `kind: EnsoJob`"
        ),
    ),
    "anything": (
        "services: {}",
        (
            "is neither an EnsoJob nor an example job: write `apiVersion: enso.dev/v1alpha1` and "
            "`kind: EnsoJob`"
        ),
    ),
    "two documents": (
        f"{HEAD}---\n{HEAD}",
        "holds 2 documents, but only one job is run at a time: put each into a file of its own",
    ),
    "indentation": (
        spec("  scripts:\n    - name: a\n   source: b\n"),
        (
            "line 7, column 4: this is not YAML: expected <block end>, but found "
            "'<block mapping start>': check the indentation and the quotes there and just above"
        ),
    ),
    "a tab": (
        spec("\tscripts: []\n"),
        (
            "line 5, column 1: this is not YAML: found character '\\t' that cannot start any "
            "token: indent with spaces, not with tabs"
        ),
    ),
    "a control character": (
        "a: \x07",
        "line 1: the character '\\x07' is not allowed in YAML: remove it",
    ),
    "latin 1": (
        "a: 1\nb: \xe9".encode("latin-1"),
        "line 2: this is not UTF-8 text: is it the right file? If so, save it as UTF-8",
    ),
    "a tag": (
        "a: !!python/name:os.system",
        "line 1: the tag !!python/name:os.system is not used here",
    ),
    "a key of a list": ("[a]: 1", "line 1: a key must be a text, not a list or mapping"),
    "a key that is on": (
        script("args: {on: 1}"),
        "line 5: the key on is read as true or false: put it in quotes",
    ),
    "a key that is a number": (
        script("args: {1: a}"),
        "line 5: the key 1 is read as a number: put it in quotes",
    ),
    "a key that is nothing": (
        script("args: {~: a}"),
        "line 5: the key ~ is read as nothing: put it in quotes",
    ),
    "a key written twice": (
        script("setup: true, setup: false"),
        "line 5: 'setup' is written twice in one mapping: remove one of the two",
    ),
    "an octal shot": (
        script("args: {shot: 010}"),
        (
            "line 5: 010 may be read as octal: put it in quotes to keep its zeros, or write the "
            "number without them"
        ),
    ),
    "a number without end": (
        script(f"args: {{a: {'9' * 5000}}}"),
        "a number in it cannot be read: put it in quotes",
    ),
    "a number that is none": (
        script("args: {a: !!int x}"),
        "a number in it cannot be read: put it in quotes",
    ),
    "an alias of itself": ("a: &a [*a]", "line 1: this contains itself by an alias: write it out"),
    "too deep for a parser": ("[" * 5000, TOO_DEEP),
    "too deep by aliases": (
        f"a: &a {'[' * 60}{']' * 60}\nb: {'[' * 60}*a{']' * 60}",
        TOO_DEEP,
    ),
    "too deep by many keys": ("{a: " * 5000, TOO_DEEP),
    "too deep": (
        script(f"args: {{a: {'[' * 65}{']' * 65}}}"),
        f"script 'save': parameter 'a' {TOO_DEEP}",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), FILES.values(), ids=FILES)
def test_a_file_that_holds_no_job(
    told: Callable[[str | bytes], str], content: str | bytes, sentence: str
) -> None:
    assert told(content) == sentence


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.yaml") == "there is no such file: check its name and folder"
    assert refusal(tmp_path) == "this is a folder: name a file in it"
    assert refusal(Path("/dev/zero")) == (
        "is larger than 2 MiB: keep data in files of its own and name them in args"
    )
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    assert refusal(loop) == "cannot be read: Too many levels of symbolic links"


@pytest.mark.parametrize("link", ["[{}]", "{{<<: [{}]}}"], ids=["lists", "merged mappings"])
def test_aliases_cannot_grow_without_end(told: Callable[[str | bytes], str], link: str) -> None:
    content = "a0: &a0 {x: 1}\n" + "".join(
        f"a{i}: &a{i} {link.format(', '.join([f'*a{i - 1}'] * 10))}\n" for i in range(1, 12)
    )
    assert told(content) == (
        "holds more than 200000 values: keep data in files of its own and name them in args"
    )
