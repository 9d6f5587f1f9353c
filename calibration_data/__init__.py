"""What int8 ranges are measured on, and how it was chosen."""

from calibration_data.drawn import draw_calibration_images
from calibration_data.sample import CalibrationSample, choose_photos

__all__ = ["CalibrationSample", "choose_photos", "draw_calibration_images"]
