"""Private helpers: files, columns, validation of arrays and model files."""
