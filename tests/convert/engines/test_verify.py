"""The same inputs through engines: the real interpreter in a process of its own, and stand-ins for others."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from convert.cli import main
from convert.engines.browser import run_in_browser
from convert.engines.comparison import Agreement, _without_thresholds, compare_engines
from convert.engines.finding import Engine, EngineOptions, find_engines
from convert.engines.job import EngineError, read_answers, write_job
from convert.metadata_writer import add_metadata
from edge_runtime.errors import BackendError, DataError
from edge_runtime.metadata.reading import read_spec
from edge_runtime.recognizer import Recognizer
from edge_runtime.spec import HeadSpec, ModelSpec

REFERENCE = find_engines(EngineOptions())[0]
SCALE = 1 / 256

Change = Callable[[NDArray[np.uint8]], NDArray[np.generic]]
Compared = Callable[[Change], Agreement]


@pytest.fixture(scope="module")
def inputs() -> NDArray[np.uint8]:
    """Four input tensors of the tiny model, each of one colour."""
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]
    return np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in colours])


@pytest.fixture(scope="module")
def answered(tiny_model_bytes: bytes, inputs: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job that the real reference has done."""
    folder = tmp_path_factory.mktemp("job")
    write_job(folder, tiny_model_bytes, inputs)
    assert REFERENCE.run is not None
    REFERENCE.run(folder)
    return folder


@pytest.fixture
def reference(answered: Path) -> Engine:
    """The reference, with the answers that it has given already."""
    return Engine("reference", lambda folder: replay(answered, folder, lambda scores: scores))


@pytest.fixture
def compared(tiny_model_bytes: bytes, inputs: NDArray[np.uint8], answered: Path, reference: Engine) -> Compared:
    """Compare the reference with an engine whose scores are changed."""

    def compare(change: Change) -> Agreement:
        engine = Engine("stand-in", lambda folder: replay(answered, folder, change))
        return compare_engines(tiny_model_bytes, inputs, (reference, engine))[1]

    return compare


def replay(answered: Path, folder: Path, change: Change) -> None:
    facts = json.loads((answered / "result.json").read_text())
    scores = change(np.fromfile(answered / "output_0.bin", np.uint8).reshape(facts["outputs"][0]["shape"]))
    scores.tofile(folder / "output_0.bin")
    facts["outputs"][0] = {"dtype": scores.dtype.name, "shape": scores.shape}
    (folder / "result.json").write_text(json.dumps(facts))


def test_the_reference_answers_as_the_runtime_does(
    tiny_model_bytes: bytes, inputs: NDArray[np.uint8], answered: Path
) -> None:
    answers = read_answers(answered, len(inputs))
    recognizer = Recognizer(tiny_model_bytes, threads=1)
    ours = [recognizer.scores(np.ascontiguousarray(image[..., ::-1])) for image in inputs]
    assert (answers.outputs[0] * np.float32(SCALE) == np.stack(ours)).all()
    assert answers.version.startswith("ai-edge-litert")


def test_an_engine_that_answers_alike(compared: Compared) -> None:
    found = compared(lambda scores: scores)
    assert (found.identical, found.largest, found.same) == (4, 0.0, 1.0)


def test_real_scores_of_the_same_steps_are_the_same_bits(compared: Compared) -> None:
    found = compared(lambda scores: scores.astype(np.float32) * np.float32(SCALE))
    assert (found.identical, found.largest) == (4, 0.0)


def test_differences_are_counted_in_steps(compared: Compared) -> None:
    def two_steps_in_one_picture(scores: NDArray[np.uint8]) -> NDArray[np.uint8]:
        scores[1, 0] += 2
        return scores

    found = compared(two_steps_in_one_picture)
    assert (found.identical, found.largest) == (3, 2.0)


def test_another_best_label_is_counted(compared: Compared) -> None:
    found = compared(lambda scores: np.roll(scores, 1, axis=1))
    assert found.same == 0.0


def fail(_: Path) -> None:
    raise EngineError("out of order")


def test_what_is_not_there_and_what_fails_are_told_apart(
    tiny_model_bytes: bytes, inputs: NDArray[np.uint8], reference: Engine
) -> None:
    engines = (reference, Engine("absent", None, "buy one"), Engine("broken", fail), Engine("silent", lambda _: None))
    _, absent, broken, silent = compare_engines(tiny_model_bytes, inputs, engines)
    assert (absent.missing, absent.failed) == ("buy one", False)
    assert (broken.missing, broken.failed) == ("out of order", True)
    assert "no result" in silent.missing
    assert silent.failed


def test_an_engine_that_skips_pictures_has_failed(compared: Compared) -> None:
    found = compared(lambda scores: scores[:3])
    assert found.failed
    assert "every picture" in found.missing


def test_without_the_reference_nothing_can_be_said(
    tiny_model_bytes: bytes, inputs: NDArray[np.uint8], reference: Engine
) -> None:
    with pytest.raises(BackendError, match="did not run"):
        compare_engines(tiny_model_bytes, inputs, (Engine("broken", fail), reference))


def test_engines_that_hold_back_low_scores_get_no_threshold(tiny_model_bytes: bytes, tiny_spec: ModelSpec) -> None:
    head = HeadSpec("garment", tiny_spec.heads[0].labels, threshold=0.5)
    strict = add_metadata(tiny_model_bytes, ModelSpec("tiny", "1", tiny_spec.input, (head,)))
    assert read_spec(_without_thresholds(strict)).heads[0].threshold == 0.0


FAKE_BROWSER = """\
import json, sys, urllib.request
address = sys.argv[-1]
def get(path): return urllib.request.urlopen(address + path).read()
def post(path, body): urllib.request.urlopen(urllib.request.Request(address + path, body, method="POST"))
assert b"@litertjs/core" in get("")
assert get("node_modules/@litertjs/core/a.js") == b"code"
job = json.loads(get("job/job.json"))
assert get("job/model.tflite")[4:8] == b"TFL3"
post("result/output_0.bin", bytes([job["count"]]) * job["count"])
outputs = [{"dtype": "uint8", "shape": [job["count"], 1]}]
post("result/result.json", json.dumps({"version": "fake 1", "machine": "wasm", "outputs": outputs}).encode())
"""


def fake_browser(folder: Path, script: str) -> Path:
    program = folder / "browser"
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    return program


def test_a_browser_gets_the_job_and_gives_its_answers(
    tiny_model_bytes: bytes, inputs: NDArray[np.uint8], tmp_path: Path
) -> None:
    (tmp_path / "node_modules" / "@litertjs" / "core").mkdir(parents=True)
    (tmp_path / "node_modules" / "@litertjs" / "core" / "a.js").write_text("code")
    job = tmp_path / "job"
    job.mkdir()
    write_job(job, tiny_model_bytes, inputs)
    browser = fake_browser(tmp_path, FAKE_BROWSER)
    run_in_browser(job, browser=str(browser), packages=tmp_path, timeout_s=60)
    answers = read_answers(job, len(inputs))
    assert (answers.version, answers.outputs[0].tolist()) == ("fake 1", [[4]] * 4)


def test_a_browser_that_ends_at_once_is_not_waited_for(tmp_path: Path) -> None:
    browser = fake_browser(tmp_path, "raise SystemExit(127)")
    with pytest.raises(EngineError, match="ended with exit code 127"):
        run_in_browser(tmp_path, browser=str(browser), packages=tmp_path, timeout_s=600)


def test_a_page_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    browser = fake_browser(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(EngineError, match="did not answer within"):
        run_in_browser(tmp_path, browser=str(browser), packages=tmp_path, timeout_s=0.2)


def test_an_error_in_the_page_is_the_engines(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"error": "Error: no wasm"}')
    with pytest.raises(EngineError, match="no wasm"):
        read_answers(tmp_path, 1)


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", *arguments])


def test_the_command_names_what_it_did_not_check(tiny_model: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 30, 3), 90, np.uint8))
    result = verify(str(tiny_model), "--data", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "1 of 1" in result.stdout
    assert "tflite-runtime: not checked" in result.stdout
    assert "arm64: not checked" in result.stdout


def test_an_engine_that_was_asked_for_has_to_run(tiny_model: Path) -> None:
    python = shutil.which("false")
    assert python is not None
    result = verify(str(tiny_model), "--images", "2", "--tflite-runtime", python, "--json")
    assert result.exit_code == BackendError.exit_code
    assert "tflite-runtime" in result.stderr
    engines = {each["engine"]: each for each in json.loads(result.stdout)["engines"]}
    assert engines["ai-edge-litert"]["identical"] == 2
    assert engines["tflite-runtime"]["failed"]


def test_a_folder_without_pictures_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    assert verify(str(tiny_model), "--data", str(tmp_path)).exit_code == DataError.exit_code


@pytest.mark.skipif("EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data")
def test_a_published_model() -> None:
    model = Path(os.environ["EDGE_GARMENT_DATA"], "weights", "mobilenet_v1_0.25_128_quant.tflite")
    result = verify(str(model), "--images", "3")
    assert result.exit_code == 0, result.output
    assert "3 of 3" in result.stdout


def test_an_engine_that_answers_in_whole_pixels_is_told_what_it_needs_and_compared_in_pixels(
    swapped_detector_bytes: bytes, inputs: NDArray[np.uint8]
) -> None:
    jobs = []

    def run(folder: Path, off: int) -> None:
        """Answer like the reference, in whole pixels, the corners `off` pixels away."""
        assert REFERENCE.run is not None
        REFERENCE.run(folder)
        jobs.append(json.loads((folder / "job.json").read_text())["detector"])
        boxes = folder / f"output_{jobs[-1]['places']['location']}.bin"
        exact = np.fromfile(boxes, np.float32).reshape(-1, 4) * 32
        corner, size = np.trunc(exact[:, :2]) + off, np.trunc(exact[:, 2:] - exact[:, :2])
        (np.hstack([corner, corner + size]) / np.float32(32)).tofile(boxes)

    engines = [
        Engine("pixels", partial(run, off=off), by_metadata=by) for off, by in ((0, True), (1, True), (0, False))
    ]
    _, same, moved, raw = compare_engines(swapped_detector_bytes, inputs, (REFERENCE, *engines))
    assert (same.identical, same.largest, same.same) == (4, 0.0, 1.0)
    # Of boxes of nine pixels one pixel is enough to make them others.
    assert max(moved.same, raw.same) < 0.5
    assert jobs[0]["labels"] == list(read_spec(swapped_detector_bytes).labels)
    assert jobs[0]["rows"] == 8


def test_a_detectors_outputs_are_known_by_their_names(swapped_detector_bytes: bytes, inputs: NDArray[np.uint8]) -> None:
    found = compare_engines(swapped_detector_bytes, inputs, (REFERENCE, REFERENCE))
    assert [(each.identical, each.same) for each in found] == [(4, 1.0)] * 2
