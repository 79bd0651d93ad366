-- Input that could not be read: reason and position, never content.
SELECT source, partition, "offset", item, reason, detail, record_bytes, sender, time, date
FROM event_dead_letter
