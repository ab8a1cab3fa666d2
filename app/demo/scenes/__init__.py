"""The scenes, each of which shows one fact: plays it through real sockets and returns what shows that it holds.

Invariant: a scene needs nothing of the ones before it, and raises NotSo with what did not happen.
"""
