-- Query C from texts.
WITH states AS (
  SELECT number_id, peer_count(signed(peer_id)) AS peers,
    histogram(CAST(bytes AS BIGINT)) FILTER (WHERE kind = 0) AS bytes,
    histogram(CAST(text_bucket AS BIGINT)) FILTER (WHERE kind = 0 AND direction = 0) AS buckets
  FROM messages GROUP BY number_id
)
SELECT number_id, peer_estimate(peers) AS peers,
  hist_quantile(bytes, 50, 100) AS bytes_p50,
  hist_quantile(bytes, 95, 100) AS bytes_p95,
  hist_quantile(bytes, 99, 100) AS bytes_p99,
  entropy_bits(buckets) AS entropy
FROM states
