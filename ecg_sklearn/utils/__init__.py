"""Helpers of every room: files, validation of arrays."""
