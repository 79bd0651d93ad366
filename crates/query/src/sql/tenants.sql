-- The account (WABA) that the newest row of a sender in its window names; of ties the smallest.
WITH named AS (
    SELECT sender, time, waba_id FROM message WHERE waba_id IS NOT NULL
    UNION ALL
    SELECT sender, time, waba_id FROM status WHERE waba_id IS NOT NULL
    UNION ALL
    SELECT sender, time, waba_id FROM account WHERE waba_id IS NOT NULL AND sender IS NOT NULL
),
newest AS (
    SELECT n.sender, w.window_end, n.waba_id, max(n.time) AS time
    FROM named n
    JOIN windows w
        ON n.sender = w.sender
        AND n.time < CAST(w.window_end AS TIMESTAMP)
        AND n.time >= CAST(w.window_end - INTERVAL '7' DAY AS TIMESTAMP)
    GROUP BY n.sender, w.window_end, n.waba_id
),
ranked AS (
    SELECT
        sender,
        window_end,
        waba_id,
        row_number() OVER (PARTITION BY sender, window_end ORDER BY time DESC, waba_id) AS place
    FROM newest
)
SELECT sender, window_end, waba_id FROM ranked WHERE place = 1
