"""`python -m miniloop`: hands over to the command line in `miniloop/cli/`."""

import sys

from miniloop.cli import main

if __name__ == "__main__":
    sys.exit(main())
