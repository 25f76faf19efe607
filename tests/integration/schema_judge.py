"""Judges TOML files by a JSON schema of draft 4, and the schema by that draft's own.

    schema_judge.py SCHEMA FILE...

Prints, as JSON, for each file what is wrong in it: [[path, message]...]. For Debian's own Python, which has its package
python3-jsonschema.
"""
import json
import sys
import tomllib

from jsonschema import Draft4Validator

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
Draft4Validator.check_schema(schema)
judge = Draft4Validator(schema)
verdicts = {}
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        errors = judge.iter_errors(tomllib.load(file))
        verdicts[name] = [[".".join(str(part) for part in error.absolute_path), error.message] for error in errors]
json.dump(verdicts, sys.stdout)
