-- The first half of query B from texts. A text without a row of its own kind is null and has a
-- shape of nulls.
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
