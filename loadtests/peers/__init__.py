"""Other stacks that do Samtale's job for one message, as small honest servers of ours, measured beside it."""
