"""Polars: A by sorting and shifting in its in-memory engine, B and C in its streaming engine."""

import os

GAP_MS = 1_800_000


class Engine:
    def __init__(self, threads, pattern):
        # Read when the module is loaded.
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        import polars

        self.pl = polars
        self.pattern = "(?i)" + pattern

    def open(self, path, memory, ordered):
        if memory:
            self.messages = self.pl.read_ipc(path).lazy()
        else:
            self.messages = self.pl.scan_parquet(path)
        self.ordered = ordered

    def answer(self, query):
        plan = {"A": self.a, "B": self.b, "C": self.c}[query]()
        return plan.to_arrow()

    def a(self):
        c = self.pl.col
        pair = ["number_id", "peer_id"]
        rows = self.messages.select("number_id", "peer_id", "ts_ms", "direction", "kind")
        if not self.ordered:
            rows = rows.sort("number_id", "peer_id", "ts_ms")
        first = (c("number_id") != c("number_id").shift()) | (c("peer_id") != c("peer_id").shift())
        marked = rows.with_columns(
            first=first.fill_null(True),
            pause=c("ts_ms") - c("ts_ms").shift(),
            before=c("direction").shift(),
        ).with_columns(starts=c("first") | (c("pause") > GAP_MS))
        marked = marked.with_columns(
            turns=c("starts") | (c("direction") != c("before")),
            nth=c("starts").cum_sum(),
        ).collect(engine="in-memory").lazy()
        turns = marked.group_by("nth").agg(c("number_id").first(), c("turns").sum())
        by_conversation = turns.group_by("number_id").agg(
            conversations=self.pl.len(),
            turns_mean=c("turns").mean(),
            turns_p50=c("turns").quantile(0.5, "linear"),
            turns_p95=c("turns").quantile(0.95, "linear"),
        )
        replies = ~c("starts") & (c("before") == 0) & (c("direction") == 1)
        by_message = marked.group_by("number_id").agg(
            peers=c("first").sum(),
            messages=self.pl.len(),
            outbound=(c("direction") == 1).sum(),
            latency_p50=c("pause").filter(replies).quantile(0.5, "linear"),
            latency_p95=c("pause").filter(replies).quantile(0.95, "linear"),
            share_template=(c("kind") == 4).mean(),
            share_button=(c("kind") == 1).mean(),
            share_voice=(c("kind") == 2).mean(),
        )
        return by_conversation.join(by_message, on="number_id").collect(engine="in-memory")

    def b(self):
        c = self.pl.col
        texts = self.messages.filter(c("kind") == 0).select(
            "number_id",
            "text",
            is_in=c("direction") == 0,
            chars=c("text").str.len_chars(),
        )
        opened = (
            (c("chars") >= 60)
            | c("text").str.contains_any(["?", "؟"])
            | c("text").str.contains(self.pattern)
        )

        def lengths(name, which):
            chars = c("chars").filter(which)
            return {
                f"{name}_chars_mean": chars.mean(),
                f"{name}_chars_p50": chars.quantile(0.5, "linear"),
                f"{name}_chars_p95": chars.quantile(0.95, "linear"),
            }

        return texts.group_by("number_id").agg(
            open_ended=opened.filter(c("is_in")).mean(),
            **lengths("in", c("is_in")),
            **lengths("out", ~c("is_in")),
        ).collect(engine="streaming")

    def c(self):
        c = self.pl.col
        peers = self.messages.group_by("number_id").agg(peers=c("peer_id").n_unique())
        texts = self.messages.filter(c("kind") == 0)
        sizes = texts.select("number_id", bytes=c("text").str.len_bytes()).group_by("number_id")
        quantiles = {"bytes_p50": 0.5, "bytes_p95": 0.95, "bytes_p99": 0.99}
        sizes = sizes.agg(**{name: c("bytes").quantile(q) for name, q in quantiles.items()})
        buckets = (
            texts.filter(c("direction") == 0)
            .select("number_id", bucket=(c("text").hash() % 64).cast(self.pl.UInt8))
            .group_by("number_id", "bucket")
            .agg(n=self.pl.len())
        )
        n = c("n").cast(self.pl.Float64)
        entropy = n.sum().log(2) - (n * n.log(2)).sum() / n.sum()
        entropies = buckets.group_by("number_id").agg(entropy=entropy)
        joined = peers.join(sizes, on="number_id", how="left")
        return joined.join(entropies, on="number_id", how="left").collect(engine="streaming")
