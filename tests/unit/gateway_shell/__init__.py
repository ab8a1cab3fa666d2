"""The gateway's shell, part by part."""
