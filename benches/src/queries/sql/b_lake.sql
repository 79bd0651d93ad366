-- Query B from the lake's shape columns.
WITH texts AS (
  SELECT sender, direction = 0 AS is_in, direction = 1 AS is_out, chars,
    chars >= 60 OR text_bits & 3 <> 0 AS open
  FROM messages WHERE message_kind = 0
)
SELECT CAST(sender AS BIGINT) AS number_id,
  avg(CASE WHEN open THEN 1.0 ELSE 0.0 END) FILTER (WHERE is_in) AS open_ended,
  avg(chars) FILTER (WHERE is_in) AS in_chars_mean,
  percentile_cont(CAST(chars AS DOUBLE), 0.5) FILTER (WHERE is_in) AS in_chars_p50,
  percentile_cont(CAST(chars AS DOUBLE), 0.95) FILTER (WHERE is_in) AS in_chars_p95,
  avg(chars) FILTER (WHERE is_out) AS out_chars_mean,
  percentile_cont(CAST(chars AS DOUBLE), 0.5) FILTER (WHERE is_out) AS out_chars_p50,
  percentile_cont(CAST(chars AS DOUBLE), 0.95) FILTER (WHERE is_out) AS out_chars_p95
FROM texts GROUP BY sender
