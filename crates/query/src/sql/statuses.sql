-- One row a message and status: the first by time and position.
SELECT * EXCEPT (place) FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY sender, message, status
            ORDER BY time, source, partition, "offset", item
        ) AS place
    FROM statuses_raw
) WHERE place = 1
