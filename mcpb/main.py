"""The start of the server in an MCP bundle. It is above the packages, so that they hide no module of Python."""

import sys

from server.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
