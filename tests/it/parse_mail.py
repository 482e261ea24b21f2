"""Reads the .eml files of a folder with Python's own mail parser and prints what it finds, a line of JSON each."""

import email
import email.policy
import json
import pathlib
import sys

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = list(message.iter_parts())
    print(json.dumps({
        "file": path.name,
        "type": message.get_content_type(),
        "subject": message["Subject"],
        "from": [[each.display_name, each.addr_spec] for each in message["From"].addresses],
        "to": [[each.display_name, each.addr_spec] for each in message["To"].addresses],
        "headers": {name: str(value) for name, value in message.items()},
        "parts": [[part.get_content_type(), part.get_content()] for part in parts],
        "encodings": [part["Content-Transfer-Encoding"] for part in parts],
        "charsets": [part.get_content_charset() for part in parts],
        "defects": [str(defect) for part in [message, *parts] for defect in part.defects]
            + [str(defect) for value in message.values() for defect in getattr(value, "defects", ())],
    }))
