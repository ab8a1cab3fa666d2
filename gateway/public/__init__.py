"""What the gateway answers over HTTP: logging agents in, and saying how it is."""
