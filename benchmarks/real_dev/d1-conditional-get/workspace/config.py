"""Settings of the recipe service."""

HOST = "127.0.0.1"
PORT = 8090

MAX_STEPS = 40

# How long a client may use a recipe without asking again.
RECIPE_MAX_AGE = 90
