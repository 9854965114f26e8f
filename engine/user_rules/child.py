"""The process in which the operator's rules run. It imports nothing of the desk and is started as a script.

One JSON object a line comes in, one goes out. The first one brings the file's text; each further one asks about an
entry. Whatever the file does (raise, exit, print, read its standard input) ends in an answer or in the end of this
process, and never in the desk.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from types import MappingProxyType, ModuleType
from typing import Any, TextIO

LOOK_FOR_PARENT_S = 1.0
FIELDS = ("verdict", "code", "text", "measured", "limit")


def main() -> None:
    asked, answers = _own_the_pipes()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    first = json.loads(asked.readline())
    check: Callable[[Any, Any], Any] | None = None
    try:
        check = load(first["source"], first["name"])
        _say(answers, {"ready": True})
    except BaseException as error:  # also SystemExit: the file must not end the process before it has said why
        _say(answers, {"failed": told(error, first["name"])})
    for line in asked:
        question = json.loads(line)
        said: dict[str, Any]
        if check is None:
            said = {"failed": "the file was not loaded"}
        else:
            try:
                said = {"verdicts": verdicts(check(frozen(question["signal"]), frozen(question["picture"])))}
            except BaseException as error:
                said = {"failed": told(error, first["name"])}
        _say(answers, said | {"id": question["id"]})


def load(source: str, name: str) -> Callable[[Any, Any], Any]:
    """The file's ``check``.

    Raises:
        TypeError: there is none. And whatever the file itself raises.
    """
    module = ModuleType("rules")
    module.__file__ = name
    sys.modules["rules"] = module
    exec(compile(source, name, "exec"), module.__dict__)
    check = getattr(module, "check", None)
    if not callable(check):
        raise TypeError("there is no function check(signal, picture)")
    found: Callable[[Any, Any], Any] = check
    return found


def frozen(value: Any) -> Any:
    """Mappings and tuples that cannot be changed by mistake."""
    if isinstance(value, dict):
        return MappingProxyType({key: frozen(one) for key, one in value.items()})
    return tuple(frozen(one) for one in value) if isinstance(value, list) else value


def verdicts(said: Any) -> list[dict[str, str | None]]:
    """As the desk reads them: texts alone. Raises ``TypeError`` for what is no list of verdicts."""
    if said is None:
        return []
    if not isinstance(said, list | tuple):
        raise TypeError(f"check() returned a {type(said).__name__}: allowed are None or a list of verdicts")
    found = []
    for one in said:
        if not isinstance(one, dict):
            raise TypeError(f"check() returned a list with a {type(one).__name__}: a verdict is a dict")
        unknown = sorted(str(key) for key in one if key not in FIELDS)
        if unknown:
            raise TypeError(f"a verdict has no {', '.join(unknown)}: it has {', '.join(FIELDS)}")
        found.append({key: None if value is None else str(value) for key, value in one.items()})
    return found


def told(error: BaseException, name: str) -> str:
    """One line: the exception with its text, and where in the file it came from."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    at = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
    return f"{text} (line {at[-1]})" if at else text


def _own_the_pipes() -> tuple[TextIO, TextIO]:
    """The two pipes to the desk, out of the file's reach: what it prints goes to standard error."""
    asked, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return asked, answers


def _say(answers: TextIO, said: dict[str, Any]) -> None:
    answers.write(json.dumps(said) + "\n")
    answers.flush()


def _end_with_parent(parent: int) -> None:
    """A desk that was killed cannot stop an endless loop of the file: it ends by itself."""
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(LOOK_FOR_PARENT_S)
    os._exit(1)


if __name__ == "__main__":
    main()
