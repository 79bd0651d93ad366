"""DataFusion's SQL: windows in one pass; a cheap hash of texts, which it lacks, comes from Polars.

Percentiles come from sorted lists: its percentile_cont rounds the place between two ranks to six
digits, and is no faster. Large batches, because it compiles a regular expression for each.
"""

import os

import datafusion
import pyarrow as pa

BATCH_ROWS = 65_536


def quantile(values, q):
    """The q-quantile of a sorted list, by a straight line between two ranks."""
    place = f"({q} * (cardinality({values}) - 1))"
    low = f"{values}[CAST(floor({place}) AS BIGINT) + 1]"
    high = f"{values}[CAST(ceil({place}) AS BIGINT) + 1]"
    return f"({low} + ({high} - {low}) * ({place} - floor({place})))"


def nearest(values, q):
    """The value whose rank is nearest above."""
    return f"{values}[CAST(ceil({q} * cardinality({values})) AS BIGINT)]"


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
    array_sort(array_agg(turns)) AS all_turns,
    sum(first) AS peers, sum(n) AS messages, sum(out) AS outbound,
    sum(templates) / CAST(sum(n) AS DOUBLE) AS share_template,
    sum(buttons) / CAST(sum(n) AS DOUBLE) AS share_button,
    sum(voices) / CAST(sum(n) AS DOUBLE) AS share_voice
  FROM conversations GROUP BY number_id
),
replies AS (
  SELECT number_id, array_sort(array_agg(pause)) AS latencies
  FROM marked WHERE before = 0 AND direction = 1 AND pause <= 1800000 GROUP BY number_id
)
SELECT number_id, conversations, turns_mean, peers, messages, outbound,
  share_template, share_button, share_voice,
""" + f"""
  {quantile("all_turns", 0.5)} AS turns_p50, {quantile("all_turns", 0.95)} AS turns_p95,
  {quantile("latencies", 0.5)} AS latency_p50, {quantile("latencies", 0.95)} AS latency_p95
FROM by_conversation LEFT JOIN replies USING (number_id)
"""

B = f"""
WITH texts AS (
  SELECT number_id, direction = 0 AS is_in, text, character_length(text) AS chars
  FROM messages WHERE kind = 0
),
sides AS (
  SELECT number_id,
    CASE WHEN is_in THEN chars END AS in_chars, CASE WHEN NOT is_in THEN chars END AS out_chars,
    CASE WHEN is_in THEN CASE WHEN chars >= 60 OR contains(text, '?') OR contains(text, '؟')
      OR regexp_like(text, $openers) THEN 1.0 ELSE 0.0 END END AS open
  FROM texts
),
lists AS (
  SELECT number_id, avg(open) AS open_ended,
    avg(in_chars) AS in_chars_mean, avg(out_chars) AS out_chars_mean,
    array_sort(array_agg(in_chars) FILTER (WHERE in_chars IS NOT NULL)) AS ins,
    array_sort(array_agg(out_chars) FILTER (WHERE out_chars IS NOT NULL)) AS outs
  FROM sides GROUP BY number_id
)
SELECT number_id, open_ended, in_chars_mean, out_chars_mean,
  {quantile("ins", 0.5)} AS in_chars_p50, {quantile("ins", 0.95)} AS in_chars_p95,
  {quantile("outs", 0.5)} AS out_chars_p50, {quantile("outs", 0.95)} AS out_chars_p95
FROM lists
"""

C = f"""
WITH peers AS (
  SELECT number_id, count(DISTINCT peer_id) AS peers FROM messages GROUP BY number_id
),
sizes AS (
  SELECT number_id, array_sort(array_agg(octet_length(text))) AS sizes
  FROM messages WHERE kind = 0 GROUP BY number_id
),
buckets AS (
  SELECT number_id, bucket_of(text) AS bucket, CAST(count(*) AS DOUBLE) AS n
  FROM messages WHERE kind = 0 AND direction = 0 GROUP BY number_id, bucket_of(text)
),
by_text AS (
  SELECT number_id, log2(sum(n)) - sum(n * log2(n)) / sum(n) AS entropy
  FROM buckets GROUP BY number_id
)
SELECT peers.number_id, peers, entropy, {nearest("sizes", 0.5)} AS bytes_p50,
  {nearest("sizes", 0.95)} AS bytes_p95, {nearest("sizes", 0.99)} AS bytes_p99
FROM peers
LEFT JOIN sizes ON sizes.number_id = peers.number_id
LEFT JOIN by_text ON by_text.number_id = peers.number_id
"""


class Engine:
    def __init__(self, threads, pattern):
        os.environ["POLARS_MAX_THREADS"] = "1"
        self.threads = threads
        config = datafusion.SessionConfig().with_target_partitions(threads).with_batch_size(BATCH_ROWS)
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
