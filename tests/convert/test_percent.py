import pytest

from convert.percent import format_below


@pytest.mark.parametrize(
    ("share", "bound", "shown"),
    [
        (0.9696, 0.98, ("97.0 %", "98.0 %")),
        (0.97960, 0.98, ("97.96 %", "98.00 %")),
        (0.979999, 0.98, ("97.9999 %", "98.0000 %")),
        (0.98, 0.98, ("98.0 %", "98.0 %")),
        (0.98002, 0.98, ("98.0 %", "98.0 %")),
    ],
)
def test_a_share_below_a_bound_does_not_read_like_it(share: float, bound: float, shown: tuple[str, str]) -> None:
    assert format_below(share, bound) == shown
