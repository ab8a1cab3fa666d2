"""Each module does what it says; needs nothing."""
