"""Reads every Delta table under a folder with delta-rs and DuckDB and compares their counts.

Prints tab-separated lines: table, reader, what was counted, rows. Ends with 1 where two counts
differ. The reader `log` is the sum of numRecords in the table's own log; `scan` counts without
filters, so no file is skipped by its statistics; the readers filter, so files are skipped.
"""

import pathlib
import sys

import duckdb
import duckdb_extension_delta
from deltalake import DeltaTable, QueryBuilder

# Pseudonyms are 64-bit numbers of either sign: a reader that goes through doubles, or statistics
# in the wrong order, show here first.
PSEUDONYMS = ("message", "peer_phone", "peer_user", "peer")
HUGE = 2**53


def connect():
    """DuckDB with the Delta extension, loaded from its package rather than from the network."""
    package = pathlib.Path(next(iter(duckdb_extension_delta.__path__)))
    extension = next(package.rglob("delta.duckdb_extension"))
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute(f"LOAD '{extension}'")
    return connection


def tables(lake):
    """Folders with a Delta log, the lake itself included."""
    return sorted(path.parent for path in lake.rglob("_delta_log") if path.is_dir())


def text(path):
    return "'" + str(path).replace("'", "''") + "'"


class Table:
    def __init__(self, connection, path):
        self.connection = connection
        self.source = f"delta_scan({text(path)})"
        self.table = DeltaTable(str(path))
        described = connection.execute(f"DESCRIBE SELECT * FROM {self.source}").fetchall()
        self.columns = [row[0] for row in described]

    def ask_duckdb(self, select, where="true"):
        return self.connection.execute(f"SELECT {select} FROM {self.source} WHERE {where}").fetchone()

    def count_delta(self, where="true"):
        # A new registration each time: the builder holds no state that a filter could reuse.
        query = QueryBuilder().register("t", self.table)
        answer = query.execute(f"SELECT count(*) AS n FROM t WHERE {where}").read_all()
        return answer["n"][0].as_py()

    def count_log(self):
        records = self.table.get_add_actions(flatten=True)["num_records"]
        counts = [value.as_py() for value in records]
        return None if None in counts else sum(counts)

    def filters(self):
        """Pairs of a name without values and a condition."""
        for column in PSEUDONYMS:
            if column not in self.columns:
                continue
            low, high = self.ask_duckdb(f"min({column}), max({column})")
            yield f"{column} is null", f"{column} IS NULL"
            if low is None:
                continue
            yield f"{column} = min", f"{column} = {literal(low)}"
            yield f"{column} = max", f"{column} = {literal(high)}"
            yield f"{column} < 0", f"{column} < 0"
            yield f"{column} < -2^53", f"{column} < {-HUGE}"
            yield f"{column} > 2^53", f"{column} > {HUGE}"


def literal(value):
    # The smallest number has no literal of its own in SQL: its absolute value is out of range.
    return f"({value + 1} - 1)" if value == -(2**63) else str(value)


def compare(name, what, counts):
    for reader, rows in counts.items():
        print(name, reader, what, rows, sep="\t")
    if len(set(counts.values())) == 1:
        return True
    print(f"{name}: {what}: readers differ", file=sys.stderr)
    return False


def check(connection, lake, path):
    name = str(path.relative_to(lake)) if path != lake else path.name
    table = Table(connection, path)
    same = compare(
        name,
        "all",
        {
            "log": table.count_log(),
            "delta-rs": table.count_delta(),
            "duckdb": table.ask_duckdb("count(*)")[0],
        },
    )
    for what, where in table.filters():
        counts = {
            "scan": table.ask_duckdb(f"count(*) FILTER (WHERE {where})")[0],
            "delta-rs": table.count_delta(where),
            "duckdb": table.ask_duckdb("count(*)", where)[0],
        }
        same = compare(name, what, counts) and same
    return same


def main():
    lake = pathlib.Path(sys.argv[1])
    found = tables(lake)
    if not found:
        print("no table in this folder", file=sys.stderr)
        return 1
    connection = connect()
    print("table", "reader", "what", "rows", sep="\t")
    return 0 if all([check(connection, lake, path) for path in found]) else 1


if __name__ == "__main__":
    sys.exit(main())
