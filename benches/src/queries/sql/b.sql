-- Query B, over the rows of texts: the second half of each of its forms.
numbers AS (
  SELECT number_id,
    count(*) FILTER (WHERE is_in AND open) AS open,
    count(*) FILTER (WHERE is_in) AS texts_in,
    exact_summary(chars, [0.5, 0.95]) FILTER (WHERE is_in) AS in_chars,
    exact_summary(chars, [0.5, 0.95]) FILTER (WHERE is_out) AS out_chars
  FROM texts GROUP BY number_id
)
SELECT CAST(number_id AS BIGINT) AS number_id,
  CAST(open AS DOUBLE) / nullif(texts_in, 0) AS open_ended,
  in_chars['mean'] AS in_chars_mean,
  in_chars['quantiles'][1] AS in_chars_p50, in_chars['quantiles'][2] AS in_chars_p95,
  out_chars['mean'] AS out_chars_mean,
  out_chars['quantiles'][1] AS out_chars_p50, out_chars['quantiles'][2] AS out_chars_p95
FROM numbers
