"""The coding tools that trials run."""
