"""`samtale demo`: stories played by real clients on real sockets, with every claim in them checked."""
