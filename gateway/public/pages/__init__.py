"""The pages that a gateway serves to browsers: the preview, and the visitor client that it is made of.

Invariant: nothing here is asked of another server; all of it together stays below 60 KB.
"""
