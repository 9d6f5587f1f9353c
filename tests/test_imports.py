"""Data flows one way, and so do imports."""

import ast
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "edge_runtime": {"edge_runtime"},
    "calibration_data": {"calibration_data", "edge_runtime"},
    "train": {"train", "edge_runtime"},
    "convert": {"convert", "edge_runtime", "calibration_data"},
}
RUNTIME_NEEDS = {"numpy", "cv2", "click", "ai_edge_litert", "tflite_runtime"}
# Of the extras `mqtt` and `web`; each is loaded by the option that needs it.
RUNTIME_EXTRAS = {"paho", "prometheus_client", "starlette", "uvicorn"}
# `edge_runtime/coco.py` loads it when train or convert measure; nothing else of the runtime imports that module.
MEASURING_NEEDS = {"pycocotools"}
# `edge_runtime/plots.py` loads it when train or convert draw; nothing else of the runtime imports that module.
DRAWING_NEEDS = {"matplotlib"}


TRAIN_LAYERS = (
    ("cli",),
    ("commands",),
    ("report",),
    ("classification", "detection", "check", "compositing"),
    ("fitting",),
    ("data", "networks", "evaluation"),
)


def imports_within(package: str) -> dict[str, set[str]]:
    """Return which of the modules and sub-packages of a package import which others."""
    graph: dict[str, set[str]] = {}
    for file in (ROOT / package).rglob("*.py"):
        own = file.relative_to(ROOT / package).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package}."):
                graph.setdefault(own, set()).add(node.module.split(".")[1])
    return {name: others - {name} for name, others in graph.items()}


def imported(package: str) -> set[str]:
    names = set()
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_import_only_what_the_design_allows(package: str) -> None:
    assert imported(package) & set(ALLOWED) <= ALLOWED[package]


@pytest.mark.parametrize("package", ["edge_runtime", "train", "convert"])
def test_parts_of_a_package_never_import_each_other_in_circles(package: str) -> None:
    # Raises where there is a circle.
    assert len(list(TopologicalSorter(imports_within(package)).static_order())) > 5


def test_the_training_stage_keeps_to_its_layers() -> None:
    """Those of docs/design.md."""
    layer_of = {part: layer for layer, parts in enumerate(TRAIN_LAYERS) for part in parts}
    for part, others in imports_within("train").items():
        assert all(layer_of[part] < layer_of[other] for other in others), (part, others)


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    there = {
        ".".join(file.parent.relative_to(ROOT).parts) for each in ALLOWED for file in (ROOT / each).rglob("__init__.py")
    }
    assert set(listed) == there


@pytest.mark.parametrize("package", ["edge_runtime", "calibration_data"])
def test_light_packages_need_nothing_heavy(package: str) -> None:
    others = imported(package) - set(sys.stdlib_module_names) - set(ALLOWED)
    assert others <= RUNTIME_NEEDS | RUNTIME_EXTRAS | MEASURING_NEEDS | DRAWING_NEEDS


def test_the_runtime_measures_nothing_itself() -> None:
    texts = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "edge_runtime").rglob("*.py")}
    assert {name for name, text in texts.items() if "pycocotools" in text or "measure_coco" in text} == {"coco.py"}


def test_the_runtime_draws_no_figure_itself() -> None:
    texts = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "edge_runtime").rglob("*.py")}
    assert {name for name, text in texts.items() if "matplotlib" in text or "runtime.plots" in text} == {"plots.py"}


def test_recognising_loads_no_training_library(tiny_model: Path) -> None:
    script = (
        "import sys, numpy as np; from edge_runtime import Recognizer;"
        f"Recognizer.load({str(tiny_model)!r}).classify(np.zeros((8, 8, 3), np.uint8));"
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'scipy', 'flatbuffers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    # ai-edge-litert itself imports flatbuffers.
    assert done.stdout.strip() in ("[]", "['flatbuffers']")


@pytest.mark.parametrize("module", ["edge_runtime.cli", "edge_runtime.benchmark.cli", "train.cli", "convert.cli"])
def test_help_loads_nothing_heavy(module: str) -> None:
    script = (
        f"import sys, {module};"
        "print(sorted({'tensorflow', 'keras', 'cv2', 'numpy', 'ai_edge_litert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
