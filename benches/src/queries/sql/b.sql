-- Query B, over the rows of texts: the second half of each of its forms.
numbers AS (
  SELECT number_id,
    avg(CASE WHEN open THEN 1.0 ELSE 0.0 END) FILTER (WHERE is_in) AS open_ended,
    avg(chars) FILTER (WHERE is_in) AS in_chars_mean,
    exact_quantiles(chars, [0.5, 0.95]) FILTER (WHERE is_in) AS in_chars,
    avg(chars) FILTER (WHERE is_out) AS out_chars_mean,
    exact_quantiles(chars, [0.5, 0.95]) FILTER (WHERE is_out) AS out_chars
  FROM texts GROUP BY number_id
)
SELECT CAST(number_id AS BIGINT) AS number_id, open_ended,
  in_chars_mean, in_chars[1] AS in_chars_p50, in_chars[2] AS in_chars_p95,
  out_chars_mean, out_chars[1] AS out_chars_p50, out_chars[2] AS out_chars_p95
FROM numbers
