"""Traffic, faults, measures, and the checker that reads what everybody remembers afterwards."""
