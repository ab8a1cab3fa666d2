"""Two terminal clients on the Python SDK: a visitor's phone and an agent's console."""
