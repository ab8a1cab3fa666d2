"""Files that people upload: told what they are, made harmless, and kept by random names."""
