"""`samtale demo`: a story played by real clients on real sockets, with every claim in it checked."""
