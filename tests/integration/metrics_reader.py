"""Reads metrics from its input as Prometheus' own client library does, and prints each sample, as JSON: [name, labels, value].

For Debian's own Python, which has its package python3-prometheus-client.
"""
import json
import sys

from prometheus_client.parser import text_string_to_metric_families

json.dump([[sample.name, sample.labels, sample.value]
           for family in text_string_to_metric_families(sys.stdin.read()) for sample in family.samples], sys.stdout)
