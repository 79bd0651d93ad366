-- Query C from texts.
WITH shapes AS (
  SELECT number_id, signed(peer_id) AS peer, kind = 0 AS is_text,
    kind = 0 AND direction = 0 AS is_in,
    bytes_and_bucket(text) AS shape
  FROM messages
),
states AS (
  SELECT number_id, peer_count(peer) AS peers,
    histogram(CAST(shape['bytes'] AS BIGINT)) FILTER (WHERE is_text) AS bytes,
    histogram(CAST(shape['text_bucket'] AS BIGINT)) FILTER (WHERE is_in) AS buckets
  FROM shapes GROUP BY number_id
)
SELECT number_id, peer_estimate(peers) AS peers,
  hist_quantile(bytes, 50, 100) AS bytes_p50,
  hist_quantile(bytes, 95, 100) AS bytes_p95,
  hist_quantile(bytes, 99, 100) AS bytes_p99,
  entropy_bits(buckets) AS entropy
FROM states
