"""The window through other eyes: ``python -m tests.gui.eyes [--out DIR]``.

Prints how far apart the colours are that mean different things, as eyes without red, green or blue cones see them and
in grey, and with ``--out`` draws the window so. Colour never speaks alone here (words, glyphs and places say the same),
but what it says should be there for everybody.

Sources: Machado, Oliveira and Fernandes (2009), full severity, in linear RGB; distances in Ottosson's OKLab.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtGui import QImage

from gui.theme import PALETTES, Palette

type Colours = np.ndarray[Any, np.dtype[np.float64]]
"""Red, green and blue from 0 to 1 in the last axis."""

LEAST: Final = 0.07
"""Distance in OKLab at which two areas are told apart at a glance; 0.02 is just seen side by side."""
LEAST_IN_GREY: Final = 0.03
VISIONS: Final[dict[str, Colours]] = {
    "all cones": np.eye(3),
    "no red (protan)": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green (deutan)": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue (tritan)": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
    "grey": np.tile(np.array([0.2126, 0.7152, 0.0722]), (3, 1)),
}
PAIRS: Final = (
    ("buy", "sell"),
    ("stop", "target"),
    ("covered", "uncovered"),
    ("p1", "p2"),
    ("paper", "live"),
    ("sim", "live"),
    ("p1_text", "high"),
    ("p2_text", "high"),
)
"""Colours that mean different things in the same place."""
ALSO_TOLD: Final = frozenset({("buy", "sell"), ("stop", "target"), ("sim", "live"), ("paper", "live")})
"""What is told in grey by something else: letters B and S, names on tags, the mode's word and frame."""


def seen(colours: Colours, vision: str) -> Colours:
    """sRGB colours as those eyes see them, in sRGB again."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    changed = np.clip(linear @ VISIONS[vision].T, 0.0, 1.0)
    return np.where(changed <= 0.0031308, changed * 12.92, 1.055 * changed ** (1 / 2.4) - 0.055)


def distance(one: str, other: str, vision: str) -> float:
    """Of two colours ``#rrggbb``, in OKLab."""
    first, second = (_oklab(seen(_rgb(each), vision)) for each in (one, other))
    return float(np.linalg.norm(first - second))


def too_close(palette: Palette) -> list[tuple[str, str, str, float]]:
    """Pairs that those eyes cannot tell apart at a glance."""
    found = []
    for one, other in PAIRS:
        for vision in VISIONS:
            far = distance(getattr(palette, one), getattr(palette, other), vision)
            is_grey = vision == "grey"
            if far < (LEAST_IN_GREY if is_grey else LEAST) and not (is_grey and (one, other) in ALSO_TOLD):
                found.append((one, other, vision, far))
    return found


def _rgb(colour: str) -> Colours:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def _oklab(colour: Colours) -> Colours:
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    result: Colours = lab @ np.cbrt(cones @ linear)
    return result


def picture_seen(picture: QImage, vision: str) -> QImage:
    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    high, wide, line = plain.height(), plain.width(), plain.bytesPerLine()
    pixels = np.frombuffer(plain.constBits(), np.uint8).reshape(high, line)[:, : wide * 3].reshape(high, wide, 3)
    changed = np.ascontiguousarray((seen(pixels / 255, vision) * 255).round().astype(np.uint8))
    return QImage(changed.tobytes(), wide, high, wide * 3, QImage.Format.Format_RGB888).copy()


async def _draw(out: Path, app: object) -> None:
    from tests.gui.gallery import draw

    for palette in PALETTES:
        path = await draw("trouble", (1366, 768), palette, out, app)
        for number, vision in enumerate(VISIONS):
            target = out / f"eyes-{palette}-{number}-{vision.split(' (')[0].replace(' ', '-')}.png"
            picture_seen(QImage(str(path)), vision).save(str(target))
            print(target)


def main(arguments: list[str]) -> int:
    """Exit status 1 when a pair is too close."""
    parser = argparse.ArgumentParser(prog="python -m tests.gui.eyes", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="DIR", help="draw the window so")
    chosen = parser.parse_args(arguments)
    for name, palette in PALETTES.items():
        print(f"\n{name:24}" + "".join(f"{vision:>20}" for vision in VISIONS))
        for one, other in PAIRS:
            far = (distance(getattr(palette, one), getattr(palette, other), vision) for vision in VISIONS)
            print(f"{one + ' / ' + other:24}" + "".join(f"{each:20.3f}" for each in far))
    close = [(name, *pair) for name, palette in PALETTES.items() for pair in too_close(palette)]
    for each in close:
        print("too close:", *each)
    if chosen.out is not None:
        from qasync import QEventLoop

        from gui.app import make_application

        chosen.out.mkdir(parents=True, exist_ok=True)
        app = make_application(["greenlight-eyes"])
        with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
            runner.run(_draw(chosen.out, app))
    return 1 if close else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
