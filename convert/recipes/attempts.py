"""Trying recipes, the cheapest first, until one costs little enough."""

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from convert.export import to_float_tflite
from convert.metadata_writer import add_metadata
from convert.network import finish_network
from convert.parity.measurement import (
    FLOAT_STAGE,
    KERAS_STAGE,
    StageAnswers,
    Subject,
    agree_answers,
    ask_file,
    ask_keras,
    compare_answers,
    score_answers,
)
from convert.parity.report import Measurement
from convert.percent import format_below
from convert.recipe import RECIPES, Recipe
from edge_runtime.errors import ConversionError, DropError, ExtraMissingError
from edge_runtime.tables import format_table

LADDER: Final = tuple(RECIPES[name] for name in ("int8", "int8-corrected", "int8-qat"))
"""Full-integer recipes, from a minute's work to hours of it."""

# Scores are shares of photos, whose difference may come out a hair above the same share typed in.
_ROUNDING: Final = 1e-9

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one recipe came to.

    Attributes:
        recipe: Its name.
        score: Top-1 or COCO's mAP on the validation photos, in [0, 1].
        drop: What it is below the Keras model's; negative where it is above.
        agreement: Share of its answers that are the Keras model's, in [0, 1]; None where neither reports a box.
        size: Bytes of the file, but for its provenance.
        seconds: What making it took.
    """

    recipe: str
    score: float
    drop: float
    agreement: float | None
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a recipe has to keep to.

    Attributes:
        drop: The largest drop of the Keras model's score that will do, in [0, 1].
        agreement: The least share of its answers, in [0, 1]; None for any.
    """

    drop: float
    agreement: float | None = None

    def hold(self, attempt: Attempt) -> bool:
        """Return whether a recipe keeps to them."""
        agrees = self.agreement is None or (attempt.agreement is not None and attempt.agreement >= self.agreement)
        return attempt.drop <= self.drop + _ROUNDING and agrees


@dataclass(frozen=True, slots=True)
class Outcome:
    """The first recipe that costs little enough.

    Attributes:
        recipe: Which one.
        content: Its `.tflite` file, not yet described.
        subject: What was measured: the float and this file, described.
        measurement: What was found.
        attempts: This one, and those tried before it.
    """

    recipe: Recipe
    content: bytes
    subject: Subject
    measurement: Measurement
    attempts: tuple[Attempt, ...]


def try_recipes(
    subject: Subject, make: Callable[[Recipe], bytes], recipes: Sequence[Recipe], bounds: Bounds
) -> Outcome:
    """Make files by one recipe after the other until one keeps to the bounds.

    Args:
        subject: The model, still without files.
        make: Makes a file by a recipe.
        recipes: The cheapest first.
        bounds: On score and answers.

    Raises:
        ConversionError: The first recipe does not work with the model.
        DropError: None keeps to the bounds, or it does not work.
    """
    known: dict[str, StageAnswers] = {}
    attempts: list[Attempt] = []
    for recipe in recipes:
        start = time.monotonic()
        try:
            content = make(recipe)
        except (ConversionError, ExtraMissingError) as error:
            if not attempts:
                raise
            failure = _describe_failure(attempts, bounds)
            raise DropError(f"{failure} {recipe.name} could not be tried: {error}") from error
        attempts.append(_judge(subject, recipe, content, known, time.monotonic() - start))
        if bounds.hold(attempts[-1]):
            return _finish(subject, recipe, content, known, attempts)
        log.info(
            "%s loses %.4f of the Keras model's score; same answers: %s",
            recipe.name,
            attempts[-1].drop,
            _format_agreement(attempts[-1]),
        )
    raise DropError(_describe_failure(attempts, bounds))


def _judge(subject: Subject, recipe: Recipe, content: bytes, known: dict[str, StageAnswers], seconds: float) -> Attempt:
    """Ask a file the photos, and the Keras model where it is not known what it answers."""
    if KERAS_STAGE not in known:
        # Not before a file could be made: a run that is damaged ends there, in a sentence.
        known[KERAS_STAGE] = ask_keras(subject)
    stage = f"tflite {recipe.name}"
    described = add_metadata(content, subject.spec)
    answers = known[stage] = ask_file(subject, stage, described)
    before, after = score_answers(subject, known[KERAS_STAGE]), score_answers(subject, answers)
    agreement = agree_answers(subject, known[KERAS_STAGE], answers)
    return Attempt(recipe.name, after, before - after, agreement, len(described), seconds)


def format_attempts(attempts: Sequence[Attempt]) -> str:
    """Return a header and a line per attempt."""
    rows = [
        (
            each.recipe,
            f"{each.score:.4f}",
            f"{each.drop:.4f}",
            _format_agreement(each),
            f"{each.size / 1e6:.2f} MB",
            f"{each.seconds:.0f} s",
        )
        for each in attempts
    ]
    header = ("recipe", "score", "drop", "agreement", "size", "time")
    return format_table([header, *rows], right=frozenset(range(1, len(header))))


def _format_agreement(attempt: Attempt) -> str:
    return "-" if attempt.agreement is None else f"{100 * attempt.agreement:.1f} %"


def _finish(
    subject: Subject, recipe: Recipe, content: bytes, known: Mapping[str, StageAnswers], attempts: Sequence[Attempt]
) -> Outcome:
    """Measure the float file too, unless it is this one, and say what the recipe came to."""
    stage = f"tflite {recipe.name}"
    files = {stage: content}
    if stage != FLOAT_STAGE:
        files = {FLOAT_STAGE: finish_network(subject.run, to_float_tflite(subject.model), subject.spec), **files}
    described = {name: add_metadata(each, subject.spec) for name, each in files.items()}
    answers = {KERAS_STAGE: known[KERAS_STAGE]}
    for name, each in described.items():
        answers[name] = known[name] if name in known else ask_file(subject, name, each)
    measured = dataclasses.replace(subject, files=described)
    return Outcome(recipe, content, measured, compare_answers(measured, answers), tuple(attempts))


def _describe_failure(attempts: Sequence[Attempt], bounds: Bounds) -> str:
    # Of those that keep the score the one of most equal answers; where none does, the one that loses least.
    best = min(attempts, key=lambda each: (max(each.drop - bounds.drop, 0.0), -(each.agreement or 0.0)))
    asked, found, options = f"within {bounds.drop:g} of the Keras model's score", f"loses {best.drop:.4f}", "--max-drop"
    if bounds.agreement is not None:
        kept, wanted = format_below(best.agreement or 0.0, bounds.agreement)
        asked += f" and to {wanted} of its answers"
        found += f" and keeps to {kept}" if best.agreement is not None else " and, as the Keras model, reports no box"
        options += " and --min-parity"
    return (
        f"No recipe keeps {asked}, the best, {best.recipe}, {found}, so nothing was written; allow more with "
        f"{options}, train longer with --qat-epochs, or train another architecture."
    )
