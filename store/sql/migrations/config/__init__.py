"""Steps of the configuration's schema."""
