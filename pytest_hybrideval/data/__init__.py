"""Data files that ship with the package: prices and the profiles of the simulated models."""
