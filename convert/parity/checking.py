"""The parity of a file that was made earlier."""

from pathlib import Path
from typing import Final

from convert.export import to_float_tflite
from convert.metadata_writer import add_metadata
from convert.network import find_images, finish_network, load_network
from convert.parity.measurement import FLOAT_STAGE, Subject, build_report, measure_stages
from convert.parity.report import ParityReport
from convert.parity.writing import PAGE_NAME, check_bound, write_report
from convert.recipe import DEFAULT_RECIPE, Counterpart, find_counterpart
from edge_runtime.errors import ModelError
from edge_runtime.files import check_writable
from edge_runtime.graph_check import check_graph
from edge_runtime.metadata.reading import read_spec
from edge_runtime.model_file import read_model
from edge_runtime.spec import ModelSpec
from edge_runtime.training_run import Split, TrainingRun

_OF_ONE_RUN: Final = ("photos_sha256", "schedule", "validation")
"""Facts that a run leaves in its description, and so in its files."""


def check_model(
    run: TrainingRun,
    path: Path,
    images: Path | None,
    folder: Path,
    min_parity: float | None,
    split: Split = Split.VALIDATION,
) -> ParityReport:
    """Measure a file against the Keras model of its run, and write the report.

    Args:
        run: The run that the file was made of.
        path: The `.tflite` file.
        images: Folder of the run's photos; None takes the one that the run was trained from.
        folder: Folder of the report.
        min_parity: Least agreement in [0, 1]; None for any.
        split: Which photos of the run are asked.

    Raises:
        ModelError: The file cannot be read, has several graphs, or is none of this run.
        MetadataError: Its metadata are missing or contradict its tensors.
        RunError: The run directory is unfinished or damaged, or its files are of several runs.
        DataError: Photos are missing, or the run has none of the split.
        ParityError: The bound does not hold; the report is written.
        OutputError: The report cannot be written.
    """
    content = read_model(path)
    check_graph(content)
    spec = read_spec(content)
    _check_same_task(spec, run, path)
    found = find_images(run, spec, images, split)
    check_writable(folder / PAGE_NAME)
    model = load_network(run, spec)
    network = finish_network(run, to_float_tflite(model), spec)
    # Files from before there were recipes are all of the one that is the default.
    recipe = str(spec.provenance.get("recipe", DEFAULT_RECIPE))
    stage = f"tflite {recipe}"
    files = {FLOAT_STAGE: add_metadata(network, spec), stage: content}
    subject = Subject(run, model, spec, found, files, split)
    # An equalised one is known to the conversion alone: it depends on the photos that it saw.
    counterpart = files[FLOAT_STAGE] if find_counterpart(recipe) is Counterpart.TRAINED else None
    report = build_report(subject, measure_stages(subject), content, min_parity, counterpart)
    write_report(report, folder, found)
    check_bound(report, folder, f"{path} was left as it is")
    return report


def _check_same_task(spec: ModelSpec, run: TrainingRun, path: Path) -> None:
    trained = run.read_spec()
    if (spec.task, spec.labels, spec.input) != (trained.task, trained.labels, trained.input):
        raise ModelError(
            f"{path} is for another task, or has other labels, another input size or another normalisation than "
            f"{run.path}, so it is not made of that run; name the run that it was made of."
        )
    if spec.name != trained.name:
        raise ModelError(
            f"{path} is {spec.name} and {run.path} is {trained.name}, so it is not made of that run; name the run that "
            "it was made of."
        )
    made, kept = spec.provenance, trained.provenance
    if any(made[fact] != kept[fact] for fact in _OF_ONE_RUN if fact in made and fact in kept):
        raise ModelError(
            f"{path} is made of another run than {run.path}, of other photos, another seed or another training, and "
            "may have learnt from the photos that this one held out; name the run that it was made of."
        )
