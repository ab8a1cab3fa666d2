"""What this machine reaches with the real processes, each figure beside the command that measures it."""
