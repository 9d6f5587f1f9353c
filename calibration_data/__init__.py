"""What int8 ranges are measured on, and how it was chosen."""

from calibration_data.drawn import draw_calibration_images
from calibration_data.sample import (
    CalibrationSample,
    Source,
    check_unchanged,
    check_variety,
    choose_from_folder,
    choose_photos,
)

__all__ = [
    "CalibrationSample",
    "Source",
    "check_unchanged",
    "check_variety",
    "choose_from_folder",
    "choose_photos",
    "draw_calibration_images",
]
