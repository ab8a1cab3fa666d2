"""Redis or Valkey: keys, the hot connection, and the scripts that change several keys at once."""
