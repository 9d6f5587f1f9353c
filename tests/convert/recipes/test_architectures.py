"""Every kind of network that can be trained goes through the recipes that rebuild it. Takes minutes."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")
if find_spec("tensorflow_model_optimization") is None:
    pytest.skip("needs the qat extra", allow_module_level=True)

from convert.qat.lessons import Lessons  # noqa: E402
from convert.recipe import RECIPES  # noqa: E402
from convert.recipes.building import Material, build_network  # noqa: E402
from edge_runtime.spec import InputSpec, Task  # noqa: E402
from train.detection.anchors import Level  # noqa: E402
from train.detection.necks import plan_cells  # noqa: E402
from train.detection.network import Layout, build_detector  # noqa: E402
from train.networks.architectures import ARCHITECTURES, build_body, build_classifier  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SIZE = 64
KINDS = (
    "mobilenet_v2_0.35",
    "mobilenet_v3_small",
    "mobilenet_v3_small_minimalistic",
    "efficientnet_lite0",
    "efficientnet_b0",
    "efficientnet_v2_b0",
)


def train_and_convert(model: Any, task: Task) -> bytes:
    """Fine-tune for one step; the converter then refuses whatever is not full integer."""
    random = np.random.default_rng(0)
    photos = random.integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
    images = list(random.normal(size=(2, SIZE, SIZE, 3)).astype(np.float32))
    lessons = Lessons(photos, InputSpec(SIZE, SIZE, (127.5,) * 3, (127.5,) * 3), task, 1)
    return build_network(RECIPES["int8-qat"], Material(model, task, images, lambda: lessons))


@pytest.mark.parametrize("name", KINDS)
def test_classifiers(name: str) -> None:
    model = build_classifier(ARCHITECTURES[name], SIZE, ("a", "b", "c"), "none", 0.2)
    assert len(train_and_convert(model, Task.CLASSIFICATION)) > 100_000


@pytest.mark.parametrize("pyramid", [False, True])
@pytest.mark.parametrize("separable", [False, True])
def test_detectors(pyramid: bool, separable: bool) -> None:
    cells = plan_cells(SIZE, pyramid=pyramid)
    levels = [Level(each, ((0.2, 0.2), (0.3, 0.3))) for each in cells]
    body = build_body(ARCHITECTURES["mobilenet_v2_0.35"], SIZE, "none")
    model = build_detector(body, 3, levels, Layout(separable=separable, pyramid=pyramid))
    assert len(train_and_convert(model, Task.DETECTION)) > 100_000
