"""The cold command: `python launch.py ARGUMENTS` is aider, and nothing in its working directory can pose as a module.

`python -m aider` would search the workspace first, where a task's `queue.py` or `client.py` lies.
"""

import sys

if __name__ == "__main__":
    del sys.path[0]  # our own folder, where `aider` would be the module beside this one
    from aider.main import main

    sys.exit(main())
