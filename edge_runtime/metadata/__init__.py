"""What a model file says of itself: TFLite Metadata and edge_garment.json."""
