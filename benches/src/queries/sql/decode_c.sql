SELECT number_id, peer_id, direction, kind, text FROM texts
