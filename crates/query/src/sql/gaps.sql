-- Ranges of offsets that were skipped: ["offset", offset_end).
SELECT source, partition, "offset", offset_end, reason, date
FROM event_gap
