"""Runs one query on one engine, once, in this process, and prints what it took as JSON.

Seconds are those of the query, from the open file or the loaded table to the answer in memory;
starting the interpreter and loading a table are outside.
"""

import argparse
import importlib
import json
import pathlib
import time

import answers
import openers

ENGINES = {
    "duckdb": "with_duckdb",
    "chdb": "with_chdb",
    "polars": "with_polars",
    "datafusion": "with_datafusion",
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=sorted(ENGINES), required=True)
    parser.add_argument("--query", choices=sorted(answers.COLUMNS), required=True)
    parser.add_argument("--file", type=pathlib.Path, required=True)
    parser.add_argument("--memory", action="store_true", help="load a table of its own first")
    parser.add_argument("--ordered", action="store_true", help="rows are by number, peer and time")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--openers", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    return parser.parse_args()


def main():
    args = arguments()
    module = importlib.import_module(ENGINES[args.engine])
    pattern = openers.pattern(openers.read(args.openers))
    engine = module.Engine(args.threads, pattern)
    started = time.perf_counter()
    engine.open(args.file, args.memory, args.ordered)
    loaded = time.perf_counter()
    table = engine.answer(args.query)
    seconds = time.perf_counter() - loaded
    answers.write(table, args.query, args.out)
    print(json.dumps({"seconds": seconds, "load_seconds": loaded - started}))


if __name__ == "__main__":
    main()
