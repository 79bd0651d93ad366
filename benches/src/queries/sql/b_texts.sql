-- Query B from texts. A text without a row of its own kind is null and has a shape of nulls.
WITH shapes AS (
  SELECT number_id, direction = 0 AND kind = 0 AS is_in, direction = 1 AND kind = 0 AS is_out,
    chars_and_bits(text) AS shape
  FROM messages
),
texts AS (
  SELECT number_id, is_in, is_out, shape['chars'] AS chars,
    shape['chars'] >= 60 OR shape['text_bits'] & 3 <> 0 AS open
  FROM shapes
),
numbers AS (
  SELECT number_id,
    avg(CASE WHEN open THEN 1.0 ELSE 0.0 END) FILTER (WHERE is_in) AS open_ended,
    avg(chars) FILTER (WHERE is_in) AS in_chars_mean,
    exact_quantiles(chars, [0.5, 0.95]) FILTER (WHERE is_in) AS in_chars,
    avg(chars) FILTER (WHERE is_out) AS out_chars_mean,
    exact_quantiles(chars, [0.5, 0.95]) FILTER (WHERE is_out) AS out_chars
  FROM texts GROUP BY number_id
)
SELECT number_id, open_ended,
  in_chars_mean, in_chars[1] AS in_chars_p50, in_chars[2] AS in_chars_p95,
  out_chars_mean, out_chars[1] AS out_chars_p50, out_chars[2] AS out_chars_p95
FROM numbers
