"""Verifies the signatures of mails with dkimpy. Arguments: a JSON object of records by name, then .eml files. Prints a
JSON line for each file: the results of its signatures from the first to the last."""

import json
import sys

import dkim

records = {name.lower().rstrip("."): value for name, value in json.loads(sys.argv[1]).items()}


def dnsfunc(name, timeout=5):
    name = name.decode() if isinstance(name, bytes) else name
    value = records.get(name.lower().rstrip("."))
    return value.encode() if value is not None else None


for path in sys.argv[2:]:
    with open(path, "rb") as file:
        mail = file.read()
    verifier = dkim.DKIM(mail, minkey=1024)
    count = sum(1 for name, _ in verifier.headers if name.lower() == b"dkim-signature")
    results = []
    for index in range(count):
        try:
            results.append(bool(verifier.verify(idx=index, dnsfunc=dnsfunc)))
        except dkim.DKIMException as error:
            results.append(str(error))
    signed = [name.decode().lower() for name in getattr(verifier, "include_headers", None) or []]
    print(json.dumps({"file": path, "results": results, "signed": signed}))
