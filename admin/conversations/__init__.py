"""Conversations as administrators see them, and what they have done to them."""
