-- Query B from the lake's shape columns.
WITH texts AS (
  SELECT sender, direction = 0 AS is_in, direction = 1 AS is_out, chars,
    chars >= 60 OR text_bits & 3 <> 0 AS open
  FROM messages WHERE message_kind = 0
),
numbers AS (
  SELECT sender,
    avg(CASE WHEN open THEN 1.0 ELSE 0.0 END) FILTER (WHERE is_in) AS open_ended,
    avg(chars) FILTER (WHERE is_in) AS in_chars_mean,
    exact_quantiles(chars, [0.5, 0.95]) FILTER (WHERE is_in) AS in_chars,
    avg(chars) FILTER (WHERE is_out) AS out_chars_mean,
    exact_quantiles(chars, [0.5, 0.95]) FILTER (WHERE is_out) AS out_chars
  FROM texts GROUP BY sender
)
SELECT CAST(sender AS BIGINT) AS number_id, open_ended,
  in_chars_mean, in_chars[1] AS in_chars_p50, in_chars[2] AS in_chars_p95,
  out_chars_mean, out_chars[1] AS out_chars_p50, out_chars[2] AS out_chars_p95
FROM numbers
