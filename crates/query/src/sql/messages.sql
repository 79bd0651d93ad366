-- Each message once: of its copies the first by origin, time and position.
SELECT * EXCEPT (place) FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY sender, message
            ORDER BY
                CASE origin WHEN 'live' THEN 0 WHEN 'app' THEN 1 WHEN 'standby' THEN 2 ELSE 3 END,
                time, source, partition, "offset", item
        ) AS place
    FROM messages_raw
) WHERE place = 1
