"""Gives damaged and hostile files to everything that reads files, and counts what comes of it.

    python bench/fuzz_readers.py --cases 3000

The seeds are the bundled model, any MODEL named, and drawn pictures of several formats. Each
case is made from its number alone, so a case that fails can be made again (`--first N --cases 1 --keep DIR`). Cases
run in child processes, since native code may end one of them: each has ten seconds of computing and 6 GiB.

A reader may answer, or refuse with an error of ours. All else is a failure: another exception, a signal, no end.
"""

import argparse
import random
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_runtime.quiet import quiet_opencv

quiet_opencv()

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from edge_runtime.drawing import draw_garment  # noqa: E402
from edge_runtime.errors import EdgeGarmentError  # noqa: E402

CASE_CPU_SECONDS: Final = 10
CASE_SECONDS: Final = 300
MEMORY_BYTES: Final = 6 << 30
_NUMBERS: Final = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate(content: bytes, other: bytes, spots: Sequence[int], generator: random.Random) -> bytes:
    """Return damaged content.

    Args:
        content: A good file.
        other: Another one, to take pieces of.
        spots: Bytes of `content` that say how the rest is to be read; they are damaged more often than the rest.
        generator: Decides everything.
    """
    damaged = bytearray(content)
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        at = generator.choice(spots) if spots and generator.random() < 0.9 else generator.randrange(len(content))
        at = min(at, max(len(damaged) - 1, 0))
        match generator.randrange(8):
            case 0 | 1 if damaged:
                damaged[at] ^= 1 << generator.randrange(8)
            case 2 if damaged:
                damaged[at] = generator.randrange(256)
            case 3 | 4:
                number = generator.choice((*_NUMBERS, len(content), generator.randrange(1 << 32)))
                at &= ~3 if generator.random() < 0.7 else ~0
                damaged[at : at + 4] = number.to_bytes(4, generator.choice(("little", "little", "big")))
            case 5:
                del damaged[generator.randrange(len(damaged) + 1) :]
            case 6:
                start, length = generator.randrange(len(other)), generator.randrange(1, 64)
                damaged[at : at + length] = other[start : start + length]
            case 7:
                del damaged[at : at + generator.randrange(1, 16)]
    return bytes(damaged)


@dataclass(frozen=True, slots=True)
class Seed:
    """A good file.

    Attributes:
        name: For reports; its suffix is that of the file.
        content: Its bytes.
        spots: See `mutate`.
    """

    name: str
    content: bytes
    spots: Sequence[int]


def model_seeds(models: Sequence[Path]) -> list[Seed]:
    """Return the bundled model and those named."""
    from convert.inspection.reading import read_contents
    from edge_runtime.bundled import find_model

    bundled = find_model(None)
    seeds = []
    for path in (bundled, *models):
        content = path.read_bytes()
        weights = np.zeros(len(content), bool)
        base = np.frombuffer(content, np.uint8).ctypes.data
        for tensor in read_contents(content).graphs[0].tensors:
            if tensor.data is not None and tensor.data.nbytes > 64:
                start = tensor.data.ctypes.data - base
                weights[start : start + tensor.data.nbytes] = True
        seeds.append(Seed(path.name, content, np.flatnonzero(~weights).tolist()))
    return seeds


def picture_seeds() -> list[Seed]:
    """Return one drawing in every format that is read."""
    picture = draw_garment("dress", 1, (96, 72))
    seeds = []
    for suffix in (".jpg", ".png", ".webp", ".bmp", ".tif"):
        content = cv2.imencode(suffix, picture)[1].tobytes()
        seeds.append(Seed(f"drawing{suffix}", content, range(min(len(content), 600))))
    return seeds


def read_description(content: bytes, _: Path) -> None:
    """Read a model as the runtime does before it runs it."""
    from edge_runtime.metadata.reading import read_spec

    read_spec(content)


def inspect(content: bytes, _: Path) -> None:
    """Read a model as `edge-convert inspect` and `preflight` do."""
    from convert.edgetpu.preflight import format_preflight, preflight_model
    from convert.inspection.listing import format_contents
    from convert.inspection.reading import read_contents

    contents = read_contents(content)
    format_contents(contents, None, None)
    contents.to_dict()
    format_preflight(preflight_model(contents))


def recognize(content: bytes, _: Path) -> None:
    """Open a model and answer a frame with it, through the native interpreter."""
    from edge_runtime.recognizer import Recognizer

    Recognizer(content, threads=1).classify(np.zeros((64, 48, 3), np.uint8))


def read_file(content: bytes, path: Path) -> None:
    """Read a picture file."""
    from edge_runtime.pictures import read_picture

    path.write_bytes(content)
    read_picture(path)


MODEL_READERS: Final[dict[str, Callable[[bytes, Path], None]]] = {
    "description": read_description,
    "inspect": inspect,
    "recognize": recognize,
}
PICTURE_READERS: Final[dict[str, Callable[[bytes, Path], None]]] = {"picture": read_file}


def make_case(seeds: Sequence[Seed], number: int) -> tuple[Seed, bytes]:
    """Return the seed and the damaged content of a case."""
    generator = random.Random(number)
    seed, other = generator.choice(seeds), generator.choice(seeds)
    return seed, mutate(seed.content, other.content, seed.spots, generator)


def work(reader: str, first: int, last: int, models: Sequence[Path]) -> None:
    """Run cases in this process, with a line before and after each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    seeds = picture_seeds() if reader in PICTURE_READERS else model_seeds(models)
    read = {**MODEL_READERS, **PICTURE_READERS}[reader]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            seed, content = make_case(seeds, number)
            print(f"start {number}", flush=True)
            set_limits(CASE_CPU_SECONDS, CASE_SECONDS)
            outcome = run_case(read, content, Path(folder) / seed.name)
            set_limits(0, 0)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(f"end {number} {peak} {outcome}", flush=True)


def set_limits(cpu_s: float, wall_s: float) -> None:
    """End this process, native code too, after so long; the wall clock is for what waits rather than computes."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, wall_s)


def run_case(read: Callable[[bytes, Path], None], content: bytes, path: Path) -> str:
    """Return what a reader made of a file: `read`, the name of our error, or `FAILED` with the reason."""
    try:
        read(content, path)
    except EdgeGarmentError as error:
        return type(error).__name__
    except BaseException:
        return f"FAILED {traceback.format_exc(limit=-3).splitlines()!r}"
    return "read"


def watch(reader: str, first: int, last: int, models: Sequence[Path]) -> Iterator[tuple[int, int, str]]:
    """Run cases in child processes and yield number, peak memory in MiB and outcome of each."""
    while first < last:
        command = [sys.executable, __file__, *map(str, models), "--work", reader, "--first", str(first)]
        with subprocess.Popen(
            [*command, "--cases", str(last - first)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as child:
            assert child.stdout is not None
            started = first
            for line in child.stdout:
                kind, number, *rest = line.split(maxsplit=3)
                started = int(number)
                if kind == "end":
                    yield started, int(rest[0]), rest[1].strip()
                    first = started + 1
        if first < last:
            ended = signal.Signals(-child.returncode).name if child.returncode < 0 else f"exit {child.returncode}"
            yield started, 0, f"FAILED {'no end' if ended in ('SIGPROF', 'SIGALRM') else ended}"
            first = started + 1


def keep(folder: Path, reader: str, number: int, models: Sequence[Path]) -> None:
    """Write the file of a case, to look at."""
    seed, content = make_case(picture_seeds() if reader in PICTURE_READERS else model_seeds(models), number)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{reader}-{number}{Path(seed.name).suffix}").write_bytes(content)


def run_reader(reader: str, arguments: argparse.Namespace) -> int:
    """Run the cases of one reader, print what came of them, and return how many failed."""
    outcomes: Counter[str] = Counter()
    most = 0
    for number, peak, outcome in watch(reader, arguments.first, arguments.first + arguments.cases, arguments.models):
        most = max(most, peak)
        outcomes[outcome.split(maxsplit=1)[0]] += 1
        if outcome.startswith("FAILED"):
            print(f"{reader} case {number}: {outcome}", file=sys.stderr, flush=True)
            if arguments.keep:
                keep(arguments.keep, reader, number, arguments.models)
    print(f"{reader}: {dict(outcomes.most_common())}, at most {most} MiB", flush=True)
    return outcomes["FAILED"]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="*", help="more models to start from")
    parser.add_argument("--cases", type=int, default=3000, help="cases per reader")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--reader", choices=[*MODEL_READERS, *PICTURE_READERS], help="one reader instead of all")
    parser.add_argument("--keep", type=Path, help="folder for the files of failed cases")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run cases on every reader."""
    arguments = parse_arguments()
    if arguments.work:
        work(arguments.work, arguments.first, arguments.first + arguments.cases, arguments.models)
        return 0
    readers = [arguments.reader] if arguments.reader else [*MODEL_READERS, *PICTURE_READERS]
    return int(sum(run_reader(reader, arguments) for reader in readers) > 0)


if __name__ == "__main__":
    sys.exit(main())
