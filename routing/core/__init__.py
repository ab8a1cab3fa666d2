"""The decider of rosters: pure, evolved in place, replayable."""
