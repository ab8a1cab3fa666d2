"""Everything is killed, stalled and cut under traffic; then the history checker reads what everybody remembers."""
