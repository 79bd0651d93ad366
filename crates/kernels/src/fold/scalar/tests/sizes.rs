//! What is held is told before it is held.

use super::*;

/// Messages of as many peers, known by user and phone, each told of twice, and their statuses.
fn events(peers: i64) -> Vec<Event> {
    let of_peer = |peer: i64| {
        let known = |event: Event| Event { phone: Some(peer), user: Some(-peer), ..event };
        let time = at(DAY, 9, 0) + peer * 10;
        [
            known(inbound(2 * peer, time)),
            known(outbound(2 * peer + 1, time + 1)),
            known(Event { offset: peer, ..outbound(2 * peer + 1, time + 2) }),
            known(status(2 * peer + 1, time + 3, 1)),
        ]
    };
    (1..=peers).flat_map(of_peer).collect()
}

fn folder(events: &[Event]) -> Folder {
    let day = Day(i32::try_from(DAY).expect("small"));
    let mut folder = Collector::new(day..=day).into_folder();
    for kind in [EventKind::Message, EventKind::Status] {
        let of_kind: Vec<&Event> = events.iter().filter(|event| event.kind == kind).collect();
        for some in of_kind.chunks(1_000) {
            let input = Input::new(kind, &batch(some)).expect("senders and times");
            folder.push(&input, 0..input.len());
        }
    }
    folder
}

#[test]
fn sender_takes_no_more_than_was_told_before_and_gives_batches_as_they_fill() {
    for peers in [1, 5, 3_000, 20_000] {
        let mut folder = folder(&events(peers));
        let rows = folder.rows_of("100");
        let told = folder.size_to_fold("100");
        let before = folder.size();
        let mut batches = Vec::new();
        folder
            .fold::<()>("100", &mut |batch| {
                batches.push(batch.num_rows());
                Ok(())
            })
            .expect("no error");
        let (ordered, resolver) = (folder.ordered.size(), folder.resolver.size());
        assert!(ordered <= rows * Ordered::ROW_BYTES, "{peers} peers: {ordered}");
        // The smallest tables have room for a few.
        assert!(resolver <= rows * Resolver::ROW_BYTES + 1_024, "{peers} peers: {resolver}");
        assert!(told >= before + rows * (Ordered::ROW_BYTES + Resolver::ROW_BYTES));
        assert!(resolver > rows * Resolver::ROW_BYTES / 8, "{peers} peers: {resolver}");
        assert!(batches.iter().all(|rows| (BATCH_ROWS..BATCH_ROWS + 48).contains(rows)));
        assert_eq!(batches.len(), usize::try_from(peers).expect("small") / BATCH_ROWS);
        assert!(folder.size() > before, "what was taken is told");
    }
}
