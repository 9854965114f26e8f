"""What the operator's file said, read strictly: anything else than verdicts is a failure of the file."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from engine.model.signal import Reason
from engine.model.words import Verdict

MOST_VERDICTS: Final = 50
PREFIX: Final = "USER_"
"""Before each code of the file, so that none can be taken for one of the gate's."""
RESERVED: Final = frozenset({"RULES", "RULE_FAILED", "RULE_WAIT"})

Code = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")]
Sentence = Annotated[str, Meta(min_length=1, max_length=300)]
Short = Annotated[str, Meta(max_length=60)]


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One verdict in the file's words."""

    verdict: Literal["pass", "warn", "deny"]
    code: Code
    text: Sentence
    measured: Short | None = None
    limit: Short | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the child."""

    id: int | None = None
    ready: bool = False
    failed: str | None = None
    verdicts: tuple[Said, ...] = ()


class RulesFailed(Exception):
    """The file gave no answer that counts; the text is one line for the operator."""


_decoder: Final = msgspec.json.Decoder(Answer)


def read_answer(line: bytes) -> Answer:
    """
    Raises:
        RulesFailed: it is no answer, or one that says that the file failed.
    """
    try:
        answer = _decoder.decode(line)
    except msgspec.DecodeError as why:
        raise RulesFailed(f"answered with what is no verdict: {why}") from why
    if answer.failed is not None:
        raise RulesFailed(answer.failed[:300])
    if len(answer.verdicts) > MOST_VERDICTS:
        raise RulesFailed(f"answered with {len(answer.verdicts)} verdicts, allowed are {MOST_VERDICTS}")
    taken = next((said.code for said in answer.verdicts if said.code in RESERVED), None)
    if taken is not None:
        raise RulesFailed(f"used the code {taken}, which is the desk's own")
    return answer


def reasons_of(answer: Answer) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            code=PREFIX + said.code,
            text=said.text,
            verdict=Verdict(said.verdict),
            measured=said.measured,
            limit=said.limit,
        )
        for said in answer.verdicts
    )
