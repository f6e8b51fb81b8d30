"""The repository's top conftest: what its own tests need. Override the plugin's fixtures in one below `benchmarks/`."""

pytest_plugins = ["pytester"]
