"""DuckDB: windows over pairs of number and peer, in two steps; its own table in memory.

Its approximate aggregates miss the stated errors for many numbers, and are no faster.
"""

import duckdb

A = """
WITH marked AS MATERIALIZED (
  SELECT number_id, peer_id, ts_ms, direction, kind,
    ts_ms - lag(ts_ms) OVER pair AS pause,
    direction - lag(direction) OVER pair AS turn
  FROM (SELECT number_id, peer_id, ts_ms, direction::TINYINT AS direction, kind FROM messages)
  WINDOW pair AS (PARTITION BY number_id, peer_id ORDER BY ts_ms)
),
placed AS (
  SELECT number_id, peer_id, pause IS NULL OR pause > 1800000 AS starts,
    pause IS NULL OR pause > 1800000 OR turn <> 0 AS turns,
    sum((pause IS NULL OR pause > 1800000)::INTEGER)
      OVER (PARTITION BY number_id, peer_id ORDER BY ts_ms ROWS UNBOUNDED PRECEDING) AS nth
  FROM marked
),
conversations AS (
  SELECT number_id, sum(turns::INTEGER) AS turns FROM placed GROUP BY number_id, peer_id, nth
),
by_conversation AS (
  SELECT number_id, count(*) AS conversations, avg(turns) AS turns_mean,
    quantile_cont(turns, [0.5, 0.95]) AS turns_q
  FROM conversations GROUP BY number_id
),
by_message AS (
  SELECT number_id, count(*) FILTER (pause IS NULL) AS peers, count(*) AS messages,
    count(*) FILTER (direction = 1) AS outbound,
    quantile_cont(pause, [0.5, 0.95]) FILTER (turn = 1 AND pause <= 1800000) AS latency_q,
    count(*) FILTER (kind = 4) / count(*) AS share_template,
    count(*) FILTER (kind = 1) / count(*) AS share_button,
    count(*) FILTER (kind = 2) / count(*) AS share_voice
  FROM marked GROUP BY number_id
)
SELECT number_id, conversations, turns_mean, turns_q[1] AS turns_p50, turns_q[2] AS turns_p95,
  peers, messages, outbound, latency_q[1] AS latency_p50, latency_q[2] AS latency_p95,
  share_template, share_button, share_voice
FROM by_conversation JOIN by_message USING (number_id)
"""

B = """
WITH texts AS (
  SELECT number_id, direction, text, length(text)::SMALLINT AS chars
  FROM messages WHERE kind = 0
),
sides AS (
  SELECT number_id,
    CASE WHEN direction = 0 THEN chars END AS in_chars,
    CASE WHEN direction = 1 THEN chars END AS out_chars,
    CASE WHEN direction = 0 THEN (chars >= 60 OR contains(text, '?') OR contains(text, '؟')
      OR regexp_matches(text, $openers, 'i'))::INTEGER END AS open
  FROM texts
)
SELECT number_id, avg(open) AS open_ended,
  avg(in_chars) AS in_chars_mean, quantile_cont(in_chars, [0.5, 0.95]) AS in_q,
  avg(out_chars) AS out_chars_mean, quantile_cont(out_chars, [0.5, 0.95]) AS out_q,
  in_q[1] AS in_chars_p50, in_q[2] AS in_chars_p95,
  out_q[1] AS out_chars_p50, out_q[2] AS out_chars_p95
FROM sides GROUP BY number_id
"""

C = """
WITH distinct_peers AS (
  SELECT number_id, count(DISTINCT peer_id) AS peers FROM messages GROUP BY number_id
),
sizes AS (
  SELECT number_id, quantile_disc(strlen(text), [0.5, 0.95, 0.99]) AS q
  FROM messages WHERE kind = 0 GROUP BY number_id
),
buckets AS (
  SELECT number_id, entropy(hash(text) % 64) AS entropy
  FROM messages WHERE kind = 0 AND direction = 0 GROUP BY number_id
)
SELECT number_id, peers, q[1] AS bytes_p50, q[2] AS bytes_p95, q[3] AS bytes_p99, entropy
FROM distinct_peers LEFT JOIN sizes USING (number_id) LEFT JOIN buckets USING (number_id)
"""


class Engine:
    def __init__(self, threads, pattern):
        self.connection = duckdb.connect(config={"threads": threads})
        # Rows may come in any order, which saves DuckDB from keeping theirs.
        self.connection.execute("SET preserve_insertion_order = false")
        self.pattern = pattern

    def open(self, path, memory, ordered):
        what = "TABLE" if memory else "VIEW"
        if memory:
            # The same rows: its table does not depend on the file that they come from.
            path = path.with_name("time.parquet")
        name = str(path).replace("'", "''")
        self.connection.execute(
            f"CREATE {what} messages AS SELECT * FROM read_parquet('{name}')"
        )

    def answer(self, query):
        sql = {"A": A, "B": B, "C": C}[query]
        pattern = self.pattern.replace("'", "''")
        return self.connection.execute(sql.replace("$openers", f"'{pattern}'")).to_arrow_table()
