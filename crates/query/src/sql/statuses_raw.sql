-- Every row of statuses, codes by name.
SELECT
    sender, waba_id, peer_phone, peer_user, time, message,
    code_name('origin', origin) AS origin,
    in_group,
    code_name('pricing_regime', pricing_regime) AS pricing_regime,
    code_name('status', status) AS status,
    code_name('category', category) AS category,
    code_name('category', conversation_origin) AS conversation_origin,
    code_name('pricing_type', pricing_type) AS pricing_type,
    code_name('pricing_model', pricing_model) AS pricing_model,
    error_code, source, partition, "offset", item, date
FROM event_status
