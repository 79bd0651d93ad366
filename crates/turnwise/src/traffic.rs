//! `traffic`: the generator's records and the truth about them, as files.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use anyhow::Context as _;
use turnwise_traffic::{Plan, Topic, Traffic, truth};

use crate::args::TrafficArgs;
use crate::exit::{self, Outcome};

/// Runs the command.
pub(crate) fn run(args: &TrafficArgs) -> Outcome {
    let mut plan = Plan::new(args.seed, args.messages);
    plan.senders = args.senders;
    plan.end = args.end.unwrap_or(plan.end);
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("make folder {}", args.out.display()))?;
    let create = |name: &str| {
        let path = args.out.join(name);
        let file = File::create(&path).with_context(|| format!("make {}", path.display()));
        file.map(BufWriter::new)
    };
    let mut senders = create("truth.tsv")?;
    let failed = "write truth.tsv";
    senders.write_all(b"phone_number_id\tprofile\tclass\n").context(failed)?;
    for sender in truth(&plan) {
        let (profile, class) = (sender.profile.name(), sender.class.name());
        writeln!(senders, "{}\t{profile}\t{class}", sender.phone_number_id).context(failed)?;
    }
    senders.flush().context(failed)?;
    let (mut webhooks, mut sends) = (create("webhooks.jsonl")?, create("send-log.jsonl")?);
    let (mut written, mut left_out) = ([0_u64; 2], 0_u64);
    for mut record in Traffic::new(plan) {
        // A record that is broken on purpose may hold a line's end, and would be two.
        if record.value.contains(&b'\n') {
            left_out += 1;
            continue;
        }
        record.value.push(b'\n');
        let (file, at) = match record.topic {
            Topic::Webhooks => (&mut webhooks, 0),
            Topic::Sends => (&mut sends, 1),
        };
        file.write_all(&record.value).context("write records")?;
        written[at] += 1;
    }
    webhooks.flush().context("write webhooks.jsonl")?;
    sends.flush().context("write send-log.jsonl")?;
    exit::complain(&format!(
        "{} webhooks, {} send records, {left_out} malformed records left out for their line ends",
        written[0], written[1]
    ));
    Ok(())
}
