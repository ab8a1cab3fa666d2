"""Steps of the record's schema."""
