"""Contacts, their companies and segments, consents, export and erasure: what REST and the command line both do."""
