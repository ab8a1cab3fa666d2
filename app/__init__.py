"""The outermost layer: settings, wiring, the command line and the supervisor.

Invariant: only this package reads the environment, and nothing imports it.
"""
