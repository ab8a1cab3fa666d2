"""The catalogue's texts, a file per locale: what the phone shows of itself, and what the server says by default.

Invariant: every file has the same names and the same blanks in each; a test holds them to it.
"""
