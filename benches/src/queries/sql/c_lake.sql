-- Query C from the lake's shape columns.
WITH states AS (
  SELECT sender, peer_count(peer_phone) AS peers,
    histogram(CAST(bytes AS BIGINT)) FILTER (WHERE message_kind = 0) AS bytes,
    histogram(CAST(text_bucket AS BIGINT))
      FILTER (WHERE message_kind = 0 AND direction = 0) AS buckets
  FROM messages GROUP BY sender
)
SELECT CAST(sender AS BIGINT) AS number_id, peer_estimate(peers) AS peers,
  hist_quantile(bytes, 50, 100) AS bytes_p50,
  hist_quantile(bytes, 95, 100) AS bytes_p95,
  hist_quantile(bytes, 99, 100) AS bytes_p99,
  entropy_bits(buckets) AS entropy
FROM states
