-- The first half of query B from the lake's shape columns.
WITH texts AS (
  SELECT sender AS number_id, direction = 0 AS is_in, direction = 1 AS is_out, chars,
    chars >= 60 OR text_bits & 3 <> 0 AS open
  FROM messages WHERE message_kind = 0
),
