SELECT number_id, direction, kind, text FROM texts
