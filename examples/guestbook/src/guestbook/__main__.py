"""``python -m guestbook``."""

from __future__ import annotations

import sys

from guestbook.cli import main

sys.exit(main())
