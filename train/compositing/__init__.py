"""Make photos with boxes out of photos of single garments."""
