"""The roster, part by part."""
