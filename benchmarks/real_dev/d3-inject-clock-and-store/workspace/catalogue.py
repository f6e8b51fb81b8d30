"""The tools that the shed lends out."""

TOOLS = {
    "drill": "Hammer drill with case",
    "ladder": "Ladder, 3 m",
    "saw": "Circular saw",
    "sander": "Belt sander",
    "tiller": "Garden tiller",
}


def describe(tool: str) -> str:
    return TOOLS.get(tool, "unknown tool")
