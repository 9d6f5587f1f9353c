import pytest

pytest.importorskip("keras", reason="needs the train extra")

from convert.parity.report import Change
from convert.recipe import RECIPES
from convert.recipes.advice import warn_of_loss
from edge_runtime.estimates import BootstrapEstimate, Estimate


def warn(recipe: str, quantity: str, value: float, high: float) -> None:
    warn_of_loss(RECIPES[recipe], Change(quantity, Estimate(value, value - 0.01, high), None))


@pytest.mark.parametrize(
    ("recipe", "advice"),
    [
        ("float16", "--recipe float32"),
        ("dynamic", "--recipe float16"),
        ("int8", "--max-drop"),
        ("int8-corrected", "--recipe int8-qat"),
        ("int8-qat", "--qat-e"),
    ],
)
@pytest.mark.parametrize("quantity", ["top-1", "mAP"])
def test_a_loss_is_said_with_what_helps_the_recipe(
    recipe: str, advice: str, quantity: str, caplog: pytest.LogCaptureFixture
) -> None:
    warn(recipe, quantity, -0.42, -0.3)
    assert f"{recipe} loses 0.420 of the Keras model's {quantity}" in caplog.text
    assert advice in caplog.text


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_recipe_is_advised_to_be_taken_instead_of_itself(recipe: str, caplog: pytest.LogCaptureFixture) -> None:
    warn(recipe, "top-1", -0.42, -0.3)
    assert "loses 0.420" in caplog.text
    assert f"--recipe {recipe};" not in caplog.text.replace(".\n", ";")


@pytest.mark.parametrize(("value", "high"), [(-0.009, -0.001), (-0.02, 0.01), (0.02, 0.03)])
def test_what_is_usual_or_chance_is_not_said(value: float, high: float, caplog: pytest.LogCaptureFixture) -> None:
    warn("int8", "top-1", value, high)
    assert caplog.text == ""


@pytest.mark.parametrize(("value", "said"), [(-0.05, False), (-0.2, True)])
def test_of_what_has_no_interval_only_the_striking_is_said(
    value: float, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_loss(RECIPES["int8"], Change("mAP", BootstrapEstimate(value, None, None), None))
    assert ("chance of few photos" in caplog.text) is said
