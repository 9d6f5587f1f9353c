"""How sure shares are that were counted on photos, and differences of two models on the same photos.

All intervals take photos as independent of each other. Photos of one group are alike, so the true intervals are wider.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

# Of a 95 % interval.
_Z: Final = NormalDist().inv_cdf(0.975)
_ENDS: Final = (2.5, 97.5)
_RESAMPLES: Final = 500
_SEED: Final = 0
# Of so few, bench/interval_coverage.py finds 77 to 84 % of the intervals to hold the truth.
_LEAST_PHOTOS: Final = 20
# Sums in another order differ by less.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in [0, 1], or a difference of two, with its 95 % interval.

    Attributes:
        value: What was observed.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BootstrapEstimate:
    """A quantity of photos, with the 95 % interval that drawing from them gives, where it can be trusted.

    Attributes:
        value: What was observed.
        low: Lower end; None where there is no interval.
        high: Upper end; None where there is no interval.
    """

    value: float
    low: float | None
    high: float | None

    @property
    def drawn(self) -> Estimate:
        """What a figure shows of it: without an interval a bar without any length, which is the dot alone."""
        low, high = (self.value if end is None else end for end in (self.low, self.high))
        return Estimate(self.value, low, high)


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two models on the same photos.

    Attributes:
        only_first: Photos that only the first answers rightly.
        only_second: Photos that only the second answers rightly.
        p_value: Of the exact McNemar test: how likely a difference as large is when both are equally good.
    """

    only_first: int
    only_second: int
    p_value: float


def estimate_share(hits: int, total: int) -> Estimate:
    """Return the share of hits in one try or more, with its Wilson interval (Wilson, 1927)."""
    share, spread = hits / total, _Z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    arm = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    # Where all or none hit, rounding would put an end beside the very 1 or 0 that it is.
    low = 0.0 if hits == 0 else centre - arm
    high = 1.0 if hits == total else centre + arm
    return Estimate(share, low, high)


def compare_paired(first: Flags, second: Flags) -> PairedTest:
    """Return the exact McNemar test of two models.

    Only photos on which the models differ tell them apart; of equally good ones, each is as likely to win such a
    photo, so the p-value is a two-sided binomial one (McNemar 1947, in the exact form).

    Args:
        first: (photos,) whether the first model's best label is the true one.
        second: (photos,) the same of the second model, photo by photo.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differing = only_first + only_second
    tail = term = 1
    for count in range(min(only_first, only_second)):
        term = term * (differing - count) // (count + 1)
        tail += term
    return PairedTest(only_first, only_second, min(1.0, 2 * tail / 2**differing))


def estimate_difference(first: Flags, second: Flags) -> Estimate:
    """Return by how much the second model's share of right answers is greater, in [-1, 1], with its 95 % interval.

    Both answer the same photos, so only those count on which they differ: the interval is the one of Agresti and Min
    (2005), "Simple improved confidence intervals for comparing matched proportions", Wald's with half a photo added to
    each of the four counts.

    Args:
        first: (photos,) whether the first model's best label is the true one.
        second: (photos,) the same of the second model, photo by photo.
    """
    lost, won, total = float((first & ~second).sum()) + 0.5, float((second & ~first).sum()) + 0.5, len(first) + 2
    centre = (won - lost) / total
    arm = _Z * math.sqrt(won + lost - (won - lost) ** 2 / total) / total
    return Estimate(float(second.mean() - first.mean()), max(centre - arm, -1.0), min(centre + arm, 1.0))


def resample_photos(photos: int) -> NDArray[np.int64]:
    """Return (500, photos) draws of indices of photos with replacement, the same whenever there are as many."""
    return np.random.default_rng(_SEED).integers(photos, size=(_RESAMPLES, photos))


def estimate_by_bootstrap(value: float, resampled: NDArray[np.float64], photos: int) -> BootstrapEstimate:
    """Return a quantity with its percentile interval (Efron and Tibshirani, 1993).

    There is none of fewer than 20 photos, since it would be too narrow, and none where all draws come out alike, since
    it would have no width.

    Args:
        value: The quantity, of all photos.
        resampled: (draws,) the same of other photos like these; NaN in draws that have nothing to tell it by.
        photos: How many of the photos have something to tell it by.
    """
    told = resampled[~np.isnan(resampled)]
    if photos < _LEAST_PHOTOS or np.ptp(told) < _ROUNDING:
        return BootstrapEstimate(value, None, None)
    low, high = np.percentile(told, _ENDS)
    return BootstrapEstimate(value, float(low), float(high))
