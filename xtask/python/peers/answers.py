"""The answers' columns, and how they are written: a line a number, tab-separated, null as nothing."""

import math

COLUMNS = {
    "A": (
        "number_id",
        "conversations",
        "turns_mean",
        "turns_p50",
        "turns_p95",
        "peers",
        "messages",
        "outbound",
        "latency_p50",
        "latency_p95",
        "share_template",
        "share_button",
        "share_voice",
    ),
    "B": (
        "number_id",
        "open_ended",
        "in_chars_mean",
        "in_chars_p50",
        "in_chars_p95",
        "out_chars_mean",
        "out_chars_p50",
        "out_chars_p95",
    ),
    "C": ("number_id", "peers", "bytes_p50", "bytes_p95", "bytes_p99", "entropy"),
}


def write(table, query, path):
    """Writes an Arrow table that has the query's columns, in whatever order."""
    names = COLUMNS[query]
    columns = [table.column(name).to_pylist() for name in names]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\t".join(names) + "\n")
        for row in zip(*columns):
            file.write("\t".join(map(text, row)) + "\n")


def text(value):
    # The median of nothing is null to some engines and no number to others.
    if value is None or isinstance(value, float) and math.isnan(value):
        return ""
    return repr(value)
