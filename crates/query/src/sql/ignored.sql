-- Readable input that holds nothing for us, by name.
SELECT source, partition, "offset", item, reason, detail, record_bytes, sender, time, date
FROM event_ignored
