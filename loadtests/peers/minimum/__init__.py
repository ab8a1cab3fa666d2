"""The hand-written minimum: visitor → gateway → Redis → engine → Redis → gateway → agent, and nothing else.

Invariant: the sockets are those of Samtale's gateway and the line to Redis is Samtale's; what differs is what a
message means in between, which here is nothing.
"""
