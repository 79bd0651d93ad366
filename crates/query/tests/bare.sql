-- Query A: per number, over the conversations of bare messages.
SELECT
    sender AS number_id,
    count(*) AS conversations,
    avg(turns) AS turns_mean,
    exact_quantiles(turns, [0.5, 0.95]) AS turns_quantiles,
    exact_distinct(peer) AS peers,
    sum(messages) AS messages,
    sum(b_messages) AS outbound,
    exact_quantiles(reply_latencies_ms, [0.5, 0.95]) AS latency_quantiles,
    sum(templates) AS templates,
    sum(buttons) AS buttons,
    sum(voices) AS voices
FROM conversations
GROUP BY sender
