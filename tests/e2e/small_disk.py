"""The product on a disk that is nearly full: python -m tests.e2e.small_disk LIMIT COMMAND ...

The limit on the size of a file is the nearest to a full disk that needs no rights.
"""

import resource
import sys

from server.__main__ import main

if __name__ == "__main__":
    limit = int(sys.argv.pop(1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    sys.exit(main())
