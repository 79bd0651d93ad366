"""ClickHouse in this process.

A by arrays per number and peer, which beat its window functions; B by its engine for many
patterns, question marks among them; C exactly, which is no slower than its sketches.
"""

import io

import pyarrow as pa
from chdb import session

A = """
SELECT number_id,
  sum(conversations) AS conversations,
  avgArray(turns) AS turns_mean,
  quantilesExactInclusiveArray(0.5, 0.95)(turns) AS turns_q,
  turns_q[1] AS turns_p50, turns_q[2] AS turns_p95,
  count() AS peers, sum(n) AS messages, sum(out) AS outbound,
  quantilesExactInclusiveArray(0.5, 0.95)(latencies) AS latency_q,
  latency_q[1] AS latency_p50, latency_q[2] AS latency_p95,
  sum(templates) / messages AS share_template,
  sum(buttons) / messages AS share_button,
  sum(voices) / messages AS share_voice
FROM (
  SELECT number_id,
    count() AS n, countIf(direction = 1) AS out,
    countIf(kind = 4) AS templates, countIf(kind = 1) AS buttons, countIf(kind = 2) AS voices,
    -- Time and direction in one number sort at once.
    arraySort(groupArray(ts_ms * 2 + direction)) AS packed,
    arrayMap(p -> bitShiftRight(p, 1), packed) AS times,
    arrayDifference(times) AS pauses,
    arrayMap(p -> toInt8(bitAnd(p, 1)), packed) AS directions,
    arrayDifference(directions) AS changes,
    arrayMap(p -> p > 1800000, pauses) AS starts,
    arrayMap((c, s, i) -> c != 0 OR s OR i = 1, changes, starts, arrayEnumerate(packed)) AS begins,
    arrayMap(part -> arraySum(part), arraySplit((b, s) -> s, begins, starts)) AS turns,
    length(turns) AS conversations,
    arrayFilter((p, c, s) -> c = 1 AND NOT s, pauses, changes, starts) AS latencies
  FROM $messages GROUP BY number_id, peer_id
)
GROUP BY number_id
"""

B = """
SELECT number_id,
  avgIf(open, is_in) AS open_ended,
  avgIf(chars, is_in) AS in_chars_mean,
  quantilesExactInclusiveIf(0.5, 0.95)(chars, is_in) AS in_q,
  avgIf(chars, NOT is_in) AS out_chars_mean,
  quantilesExactInclusiveIf(0.5, 0.95)(chars, NOT is_in) AS out_q,
  in_q[1] AS in_chars_p50, in_q[2] AS in_chars_p95,
  out_q[1] AS out_chars_p50, out_q[2] AS out_chars_p95
FROM (
  SELECT number_id, direction = 0 AS is_in, toUInt16(lengthUTF8(text)) AS chars,
    is_in AND (chars >= 60 OR multiMatchAny(text, [$openers])) AS open
  FROM (
    SELECT number_id, direction, assumeNotNull(text) AS text FROM $messages WHERE kind = 0
  )
)
GROUP BY number_id
"""

C = """
SELECT number_id, uniqExact(peer_id) AS peers,
  quantilesExactIf(0.5, 0.95, 0.99)(toUInt16(length(assumeNotNull(text))), kind = 0) AS q,
  q[1] AS bytes_p50, q[2] AS bytes_p95, q[3] AS bytes_p99,
  entropyIf(toUInt8(cityHash64(assumeNotNull(text)) % 64), kind = 0 AND direction = 0) AS entropy
FROM $messages GROUP BY number_id
"""


class Engine:
    def __init__(self, threads, pattern):
        self.session = session.Session()
        self.session.query(f"SET max_threads = {threads}")
        self.pattern = f"(?i){pattern}|[?؟]"

    def open(self, path, memory, ordered):
        if memory:
            # The same rows: its table does not depend on the file that they come from.
            path = path.with_name("time.parquet")
        self.source = f"file({literal(str(path))}, Parquet)"
        if memory:
            self.session.query("CREATE DATABASE bench ENGINE = Atomic")
            self.session.query(
                f"CREATE TABLE bench.messages ENGINE = Memory AS SELECT * FROM {self.source}"
            )
            self.source = "bench.messages"

    def answer(self, query):
        sql = {"A": A, "B": B, "C": C}[query]
        sql = sql.replace("$openers", literal(self.pattern)).replace("$messages", self.source)
        answer = self.session.query(sql, "ArrowStream")
        return pa.ipc.open_stream(io.BytesIO(answer.bytes())).read_all()


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
