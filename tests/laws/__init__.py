"""What holds whatever happens; needs nothing."""
