-- Violations, restrictions, handovers, identity changes, number facts, error codes.
SELECT
    sender, waba_id, peer_phone, peer_user, time, field, event, error_code,
    role_previous, role_new, peer_phone_previous, peer_user_previous,
    source, partition, "offset", item, date
FROM event_account
