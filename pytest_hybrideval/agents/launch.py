"""The cold command: `python launch.py ARGUMENTS` is aider, and nothing in its working directory can pose as a module.

`python -m aider` would search the workspace first, where a task's `queue.py` or `client.py` lies.
"""

import sys
from collections.abc import Iterator


class SortedSet(set):  # type: ignore[type-arg]
    """A set that is walked through in order."""

    def __iter__(self) -> Iterator[object]:
        """The elements, least first."""
        return iter(sorted(super().__iter__()))


def sort_files() -> None:
    """Have aider list files by name.

    It keeps their absolute paths in sets and shows them as these are walked through: otherwise, in a folder of another
    name, the same trial would ask for the same in another order.
    """
    from aider.coders import base_coder

    base_coder.set = SortedSet


if __name__ == "__main__":
    del sys.path[0]  # our own folder, where `aider` would be the module beside this one
    from aider.main import main

    sort_files()
    sys.exit(main())
