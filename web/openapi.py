"""Print the OpenAPI document: ``python -m web.openapi > docs/openapi.json``."""

from __future__ import annotations

import json
import sys

from journeys import wiring
from web.app import create_app
from web.service import document


def text() -> str:
    """Give the document of the application as it is committed; no server is needed."""
    app = create_app(wiring.build(offline=True))
    with app.app_context():
        return json.dumps(document(app), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Print the document."""
    sys.stdout.write(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
