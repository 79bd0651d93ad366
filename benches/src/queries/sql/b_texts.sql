-- The first half of query B from texts, of whose shapes it names three columns. A text without a
-- row of its own kind is null and has a shape of nulls.
WITH texts AS (
  SELECT number_id, direction = 0 AND kind = 0 AS is_in, direction = 1 AND kind = 0 AS is_out,
    chars, chars >= 60 OR question OR opener AS open
  FROM messages
),
