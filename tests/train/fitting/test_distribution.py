import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("jax", reason="needs the distributed extra")

from edge_runtime.errors import DistributionError  # noqa: E402
from edge_runtime.spec import InputSpec  # noqa: E402
from edge_runtime.training_run import Split, SplitRow  # noqa: E402
from train.classification.dataset import Part, ShuffledBatches  # noqa: E402
from train.classification.encoding import Encoding  # noqa: E402
from train.classification.schedule import ClassifierSchedule  # noqa: E402
from train.fitting.distribution import Distribution, distributed  # noqa: E402

_PROGRAM = Path(__file__).with_name("tiny_training.py")
_ARGUMENTS = (
    "--weights none --image-size 32 --batch-size 8 --head-epochs 1 --epochs 2 --validation-share 0.25 "
    "--drawn-share 0.2 --mixed-share 0.3"
)
_LIMIT = 900
"""Seconds; a process takes 30 of CPU, and more where it shares the machine."""
_LOSS_BOUND = 1e-4
"""Relative; sums of float32 in another order, over the steps of three epochs."""


def start(photos: Path, run: Path, distribute: str, **variables: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(_PROGRAM.parents[3]), **variables}
    command = [sys.executable, str(_PROGRAM), "classify", str(photos), "-o", str(run), "--distribute", distribute]
    return subprocess.Popen([*command, *_ARGUMENTS.split()], env=environment, stderr=subprocess.PIPE, text=True)


def start_pair(photos: Path, run: Path) -> list[subprocess.Popen[str]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    common = {"KERAS_DISTRIBUTION_JOB_ADDRESSES": address, "KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}
    return [start(photos, run, "cluster", KERAS_DISTRIBUTION_PROCESS_ID=str(rank), **common) for rank in range(2)]


def finish(process: subprocess.Popen[str]) -> str:
    try:
        stderr = process.communicate(timeout=_LIMIT)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == 0, stderr
    return stderr


def read_losses(run: Path) -> list[float]:
    return [float(row["loss"]) for row in csv.DictReader((run / "metrics.csv").read_text().splitlines())]


def assert_alike(run: Path, other: Path) -> None:
    assert len(read_losses(run)) == 3
    np.testing.assert_allclose(read_losses(run), read_losses(other), rtol=_LOSS_BOUND)


@pytest.fixture(scope="module")
def single(drawn_photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on one device."""
    run = tmp_path_factory.mktemp("distribution") / "single"
    finish(start(drawn_photos, run, "none"))
    return run


@pytest.fixture
def broken_pair(drawn_photos: Path, tmp_path: Path) -> Iterator[tuple[Path, list[subprocess.Popen[str]]]]:
    """Two processes after their first epoch, and their run directory."""
    run = tmp_path / "broken"
    pair = start_pair(drawn_photos, run)
    limit = time.monotonic() + _LIMIT
    while not (run / "metrics.csv").exists() and time.monotonic() < limit and pair[0].poll() is None:
        time.sleep(0.1)
    yield run, pair
    for process in pair:
        process.kill()
        process.communicate()


def make_rows(folder: Path) -> list[SplitRow]:
    return [
        SplitRow(str(path.relative_to(folder)), path.parent.name, path.name, Split.TRAIN, "")
        for path in sorted(folder.glob("*/*.png"))
    ]


def test_parts_of_processes_make_the_whole_batch(drawn_photos: Path) -> None:
    spec = InputSpec(32, 32, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    data = (make_rows(drawn_photos), Encoding(drawn_photos, ("hat", "pants", "shoes"), spec), 8)
    schedule = ClassifierSchedule(
        head_epochs=0,
        epochs=2,
        batch_size=8,
        head_learning_rate=1e-3,
        learning_rate=1e-3,
        drawn_share=0.2,
        negative_share=0.1,
        mixed_share=0.5,
    )
    shuffled = {"negatives": (), "schedule": schedule, "epoch": 1}
    whole = ShuffledBatches(*data, **shuffled)
    # A process with one device beside one with three.
    parts = [ShuffledBatches(*data, Part(*bounds, of=4), **shuffled) for bounds in ((0, 1), (1, 4))]
    for index in range(len(whole)):
        for expected, *found in zip(whole[index], *(part[index] for part in parts), strict=True):
            assert [len(array) for array in found] == [2, 6]
            np.testing.assert_array_equal(np.concatenate(found), expected)


def test_padding_fills_the_last_batch(drawn_photos: Path) -> None:
    distribution = Distribution(devices=4)
    assert distribution.pad("abcde") == ["a", "b", "c", "d", "e", "e", "e", "e"]
    assert distribution.pad("abcd") == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("photos", "batch_size", "words"), [(99, 8, "multiple of 3"), (5, 6, "do not fill")])
def test_batches_that_cannot_be_shared_are_refused(photos: int, batch_size: int, words: str) -> None:
    with pytest.raises(DistributionError, match=words):
        Distribution(devices=3).check(photos, batch_size)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="the backend is the right one")
def test_another_backend_is_refused() -> None:
    with pytest.raises(DistributionError, match="KERAS_BACKEND=jax"), distributed("local"):
        pass


def test_a_cluster_that_nobody_describes_is_refused(drawn_photos: Path, tmp_path: Path) -> None:
    process = start(drawn_photos, tmp_path / "run", "cluster")
    stderr = process.communicate(timeout=_LIMIT)[1]
    assert process.returncode == DistributionError.exit_code
    assert "KERAS_DISTRIBUTION_JOB_ADDRESSES" in stderr
    assert "Traceback" not in stderr


@pytest.mark.slow
@pytest.mark.timeout(2 * _LIMIT)
def test_two_devices_train_as_one(drawn_photos: Path, single: Path, tmp_path: Path) -> None:
    finish(start(drawn_photos, tmp_path / "run", "local", XLA_FLAGS="--xla_force_host_platform_device_count=2"))
    assert_alike(tmp_path / "run", single)
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["devices"] == 2


@pytest.mark.slow
@pytest.mark.timeout(2 * _LIMIT)
def test_two_processes_train_as_one(drawn_photos: Path, single: Path, tmp_path: Path) -> None:
    chief, follower = map(finish, start_pair(drawn_photos, tmp_path / "run"))
    assert_alike(tmp_path / "run", single)
    assert "validation top-1" in chief
    assert "validation top-1" not in follower


@pytest.mark.slow
@pytest.mark.timeout(4 * _LIMIT)
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_other_and_the_run_goes_on(
    drawn_photos: Path, single: Path, broken_pair: tuple[Path, list[subprocess.Popen[str]]], victim: int
) -> None:
    run, pair = broken_pair
    pair[victim].send_signal(signal.SIGKILL)
    stderr = pair[1 - victim].communicate(timeout=_LIMIT)[1]
    # Whichever comes first: our sentence about the connection, or JAX ending the process with its own.
    assert pair[1 - victim].returncode in (DistributionError.exit_code, -signal.SIGABRT), stderr
    assert "lost the others" in stderr or "JAX distributed service" in stderr
    assert len(read_losses(run)) < 3
    for process in start_pair(drawn_photos, run):
        finish(process)
    assert_alike(run, single)
