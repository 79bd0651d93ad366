"""DataFusion's SQL: windows in one pass; a cheap hash of texts, which it lacks, comes from Polars."""

import os

import datafusion
import pyarrow as pa

A = """
WITH marked AS (
  SELECT number_id, peer_id, direction, kind,
    ts_ms - lag(ts_ms) OVER pair AS pause,
    lag(direction) OVER pair AS before,
    ts_ms
  FROM messages
  WINDOW pair AS (PARTITION BY number_id, peer_id ORDER BY ts_ms)
),
placed AS (
  SELECT *, pause IS NULL OR pause > 1800000 AS starts,
    sum(CASE WHEN pause IS NULL OR pause > 1800000 THEN 1 ELSE 0 END)
      OVER (PARTITION BY number_id, peer_id ORDER BY ts_ms ROWS UNBOUNDED PRECEDING) AS nth
  FROM marked
),
conversations AS (
  SELECT number_id, peer_id, nth, count(*) AS n,
    count(*) FILTER (WHERE starts OR direction <> before) AS turns,
    count(*) FILTER (WHERE pause IS NULL) AS first,
    count(*) FILTER (WHERE direction = 1) AS out,
    count(*) FILTER (WHERE kind = 4) AS templates,
    count(*) FILTER (WHERE kind = 1) AS buttons,
    count(*) FILTER (WHERE kind = 2) AS voices
  FROM placed GROUP BY number_id, peer_id, nth
),
by_conversation AS (
  SELECT number_id, count(*) AS conversations, avg(turns) AS turns_mean,
    percentile_cont(CAST(turns AS DOUBLE), 0.5) AS turns_p50,
    percentile_cont(CAST(turns AS DOUBLE), 0.95) AS turns_p95,
    sum(first) AS peers, sum(n) AS messages, sum(out) AS outbound,
    sum(templates) / CAST(sum(n) AS DOUBLE) AS share_template,
    sum(buttons) / CAST(sum(n) AS DOUBLE) AS share_button,
    sum(voices) / CAST(sum(n) AS DOUBLE) AS share_voice
  FROM conversations GROUP BY number_id
),
latencies AS (
  SELECT number_id,
    percentile_cont(CAST(pause AS DOUBLE), 0.5) AS latency_p50,
    percentile_cont(CAST(pause AS DOUBLE), 0.95) AS latency_p95
  FROM marked WHERE before = 0 AND direction = 1 AND pause <= 1800000 GROUP BY number_id
)
SELECT * FROM by_conversation LEFT JOIN latencies USING (number_id)
"""

B = """
WITH texts AS (
  SELECT number_id, direction = 0 AS is_in, text, character_length(text) AS chars
  FROM messages WHERE kind = 0
),
opened AS (
  SELECT number_id, is_in, chars,
    chars >= 60 OR contains(text, '?') OR contains(text, '؟')
      OR regexp_like(text, $openers) AS open
  FROM texts
)
SELECT number_id,
  avg(CASE WHEN open THEN 1.0 ELSE 0.0 END) FILTER (WHERE is_in) AS open_ended,
  avg(chars) FILTER (WHERE is_in) AS in_chars_mean,
  percentile_cont(CAST(chars AS DOUBLE), 0.5) FILTER (WHERE is_in) AS in_chars_p50,
  percentile_cont(CAST(chars AS DOUBLE), 0.95) FILTER (WHERE is_in) AS in_chars_p95,
  avg(chars) FILTER (WHERE NOT is_in) AS out_chars_mean,
  percentile_cont(CAST(chars AS DOUBLE), 0.5) FILTER (WHERE NOT is_in) AS out_chars_p50,
  percentile_cont(CAST(chars AS DOUBLE), 0.95) FILTER (WHERE NOT is_in) AS out_chars_p95
FROM opened GROUP BY number_id
"""

C = """
WITH by_message AS (
  SELECT number_id, approx_distinct(peer_id) AS peers,
    approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY bytes) AS bytes_p50,
    approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY bytes) AS bytes_p95,
    approx_percentile_cont(0.99) WITHIN GROUP (ORDER BY bytes) AS bytes_p99
  FROM (SELECT number_id, peer_id, CASE WHEN kind = 0 THEN octet_length(text) END AS bytes
    FROM messages)
  GROUP BY number_id
),
buckets AS (
  SELECT number_id, bucket_of(text) AS bucket, CAST(count(*) AS DOUBLE) AS n
  FROM messages WHERE kind = 0 AND direction = 0 GROUP BY number_id, bucket_of(text)
),
by_text AS (
  SELECT number_id, log2(sum(n)) - sum(n * log2(n)) / sum(n) AS entropy
  FROM buckets GROUP BY number_id
)
SELECT * FROM by_message LEFT JOIN by_text USING (number_id)
"""


class Engine:
    def __init__(self, threads, pattern):
        os.environ["POLARS_MAX_THREADS"] = "1"
        self.threads = threads
        config = datafusion.SessionConfig().with_target_partitions(threads)
        self.context = datafusion.SessionContext(config)
        self.pattern = "(?i)" + pattern
        self.register_hash()

    def register_hash(self):
        import polars

        def bucket(texts):
            hashes = polars.from_arrow(texts).hash() % 64
            return hashes.cast(polars.UInt8).to_arrow()

        kind = pa.string_view()
        function = datafusion.udf(bucket, [kind], pa.uint8(), "immutable", "bucket_of")
        self.context.register_udf(function)

    def open(self, path, memory, ordered):
        if memory:
            self.load(path)
            return
        order = None
        if ordered:
            names = ("number_id", "peer_id", "ts_ms")
            order = [[datafusion.col(name).sort() for name in names]]
        self.context.register_parquet("messages", str(path), file_sort_order=order)

    def load(self, path):
        """A partition of batches for each thread."""
        with pa.OSFile(str(path)) as source:
            batches = pa.ipc.open_file(source).read_all().to_batches()
        parts = [batches[nth :: self.threads] for nth in range(self.threads)]
        self.context.register_record_batches("messages", parts)

    def answer(self, query):
        pattern = self.pattern.replace("'", "''")
        sql = {"A": A, "B": B, "C": C}[query].replace("$openers", f"'{pattern}'")
        return pa.Table.from_batches(self.context.sql(sql).collect())
