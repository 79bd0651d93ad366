-- The accounts (WABA) that rows of a sender name on a day, and the newest time of each.
WITH named AS (
    SELECT sender, date, time, waba_id FROM message
    UNION ALL
    SELECT sender, date, time, waba_id FROM status
    UNION ALL
    SELECT sender, date, time, waba_id FROM account
)
SELECT sender, date, waba_id, max(time) AS time
FROM named
WHERE sender IS NOT NULL AND time IS NOT NULL AND waba_id IS NOT NULL
GROUP BY sender, date, waba_id
