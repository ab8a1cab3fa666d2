"""The two languages of Samtale: the wire (clients and gateways) and the bus (gateways, engines and workers).

Invariant: imports nothing else of ours, performs no I/O and reads no clock.
"""
