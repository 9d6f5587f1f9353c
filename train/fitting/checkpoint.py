"""Where a training run stands, on disk, so that a killed run loses at most one epoch."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from edge_runtime.errors import OutputError, RunError
from edge_runtime.files import replacing, write_text

if TYPE_CHECKING:
    # Reading what an epoch came to must not cost the seconds that Keras takes to import.
    import keras


# Four a number, for the weights, Adam's two moments and a moving average, and some more for what stands around them.
_BYTES_PER_WEIGHT = 18


class Epoch(Protocol):
    """What one epoch came to, whatever was trained; a dataclass of JSON-ready values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def phase(self) -> str:
        """`head` or `body`."""

    @property
    def epoch(self) -> int:
        """One-based within the phase."""

    @property
    def loss(self) -> float:
        """Mean training loss."""

    @property
    def learning_rate(self) -> float:
        """At the end of the epoch."""

    @property
    def seconds(self) -> float:
        """Wall time."""

    @property
    def score(self) -> float:
        """What the best epoch is chosen by, 0 or more; the higher the better."""

    @property
    def quality(self) -> str:
        """What was measured on the validation photos, for the log."""


Record = TypeVar("Record", bound=Epoch)


@dataclass(frozen=True, slots=True)
class State(Generic[Record]):
    """The epochs behind a run and the weights it goes on from.

    Attributes:
        history: Finished epochs, oldest first.
        weights: File name of the weights and optimizer state after them; None before the first.
    """

    history: tuple[Record, ...] = ()
    weights: str | None = None

    @property
    def best(self) -> float:
        """The best score so far, -1 before the first epoch."""
        return max((record.score for record in self.history), default=-1.0)

    def followed_by(self, record: Record) -> "State[Record]":
        """Return the state one epoch later."""
        history = (*self.history, record)
        return State(history, f"epoch-{len(history):03d}.weights.h5")

    def epochs_done(self, phase: str) -> int:
        """Return how many epochs of a phase are finished."""
        return sum(record.phase == phase for record in self.history)


class CheckpointFolder:
    """The folder inside a run directory that holds the run's state."""

    def __init__(self, run: Path) -> None:
        self._path = path = run / "checkpoint"
        self._state = path / "state.json"

    @property
    def holds_epochs(self) -> bool:
        """Whether an epoch has ended, so that there is something to go on with."""
        return self._state.exists()

    def load(self, record: type[Record]) -> State[Record]:
        """Read the state; a fresh one where there is none.

        Args:
            record: What tells of one epoch.

        Raises:
            RunError: The state file is damaged.
        """
        try:
            values = json.loads(self._state.read_text(encoding="utf-8"))
            return State(tuple(record(**each) for each in values["history"]), values["weights"])
        except FileNotFoundError:
            return State()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self._state} cannot be read ({error}); train into a fresh directory.") from error

    def save(self, model: "keras.Model", state: State[Record]) -> None:
        """Save a compiled model's weights and optimizer state, then the state that names them.

        Raises:
            OutputError: There is no room for them.
        """
        self._check_room(model)
        with replacing(self._path / str(state.weights)) as aside:
            # Keras insists on the double suffix.
            whole = aside.with_name(aside.stem + ".weights.h5")
            model.save_weights(whole)
            whole.rename(aside)
        write_text(self._state, json.dumps(asdict(state), indent=2) + "\n")
        self._remove_all_but(str(state.weights))

    def _check_room(self, model: "keras.Model") -> None:
        # HDF5 does not survive a disk that fills while it writes: it ends the process.
        needed = _BYTES_PER_WEIGHT * model.count_params()
        self._path.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._path).free < needed:
            raise OutputError(
                f"There is no room for a checkpoint of {needed / 1e6:.0f} MB in {self._path}; free some space and "
                "repeat the command, which goes on behind the last epoch that was saved."
            )

    @property
    def best_path(self) -> Path:
        """The best model so far, as it was trained."""
        return self._path / "best.keras"

    def save_best(self, model: "keras.Model") -> None:
        """Save a model as the best so far."""
        with replacing(self.best_path) as aside:
            model.save(aside)

    def restore(self, model: "keras.Model", state: State[Record]) -> None:
        """Load weights and, where the model is compiled alike, optimizer state.

        Raises:
            RunError: They are missing or damaged.
        """
        if state.weights is None:
            return
        file = self._path / state.weights
        try:
            model.load_weights(file)
        except (OSError, KeyError, ValueError) as error:
            from train.fitting.distribution import is_lost_connection

            if is_lost_connection(error):
                raise
            raise RunError(f"{file} is missing or damaged; train into a fresh directory.") from error

    def _remove_all_but(self, name: str) -> None:
        for old in self._path.glob("*.weights.h5"):
            if old.name != name:
                old.unlink()
