"""Where a host of MCP bundles starts the server: a file above the packages, so that theirs do not hide Python's own."""

import sys

from server.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
