-- Query A, over the conversations of bare messages.
WITH numbers AS (
  SELECT sender AS number_id,
    count(*) AS conversations,
    avg(turns) AS turns_mean,
    exact_quantiles(turns, [0.5, 0.95]) AS turns,
    exact_distinct(peer) AS peers,
    sum(messages) AS messages,
    sum(b_messages) AS outbound,
    exact_quantiles(reply_latencies_ms, [0.5, 0.95]) AS latencies,
    sum(templates) AS templates,
    sum(buttons) AS buttons,
    sum(voices) AS voices
  FROM conversations GROUP BY sender
)
SELECT number_id, conversations, turns_mean,
  turns[1] AS turns_p50,
  turns[2] AS turns_p95,
  peers, messages, outbound,
  latencies[1] AS latency_p50,
  latencies[2] AS latency_p95,
  CAST(templates AS DOUBLE) / messages AS share_template,
  CAST(buttons AS DOUBLE) / messages AS share_button,
  CAST(voices AS DOUBLE) / messages AS share_voice
FROM numbers
