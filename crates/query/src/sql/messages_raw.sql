-- Every row of messages, history included, codes by name.
SELECT
    sender, waba_id, peer_phone, peer_user, time, message,
    code_name('origin', origin) AS origin,
    code_name('direction', direction) AS direction,
    code_name('message_kind', message_kind) AS message_kind,
    code_name('interactive_type', interactive_type) AS interactive_type,
    in_group, voice, peer_country, is_reply, has_referral,
    code_name('pricing_regime', pricing_regime) AS pricing_regime,
    chars, bytes, words, lines,
    code_name('script', script) AS script,
    text_bits & 1 > 0 AS question,
    text_bits & 2 > 0 AS opener,
    text_bits & 4 > 0 AS greeting,
    text_bits & 8 > 0 AS digits,
    text_bits & 16 > 0 AS open_ended,
    text_bits & 32 > 0 AS markdown,
    text_bits & 64 > 0 AS list,
    text_bits & 128 > 0 AS code,
    text_bits & 256 > 0 AS url,
    source, partition, "offset", item, date
FROM (SELECT * FROM event_message UNION ALL SELECT * FROM event_history)
