//! States to publish and servers on ports that the system chooses.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use turnwise_model::{Day, Millis, Verdict};
use turnwise_policy::{Axis, FeatureVector, Judgement, Reason, Scores};
use turnwise_query::answer::{Coverage, SenderAnswer};
use turnwise_query::derive::Window;
use turnwise_serve::{Board, Published, PublishedSender, ServeError, serve_grpc};

/// The window's end of every state.
pub const END: Day = Day(20_780);

/// A sender with one reason and one feature.
pub fn sender(id: &str, tenant: &str, verdict: Verdict, scope: Option<f64>) -> PublishedSender {
    let mut features = FeatureVector::new();
    features.set("F30_user_long", Some(0.25), 400, Some((0.2, 0.3)));
    let reason = Reason {
        feature: "F30_user_long",
        value: 0.25,
        n: 400,
        points: 0.5,
        weight: 2.0,
        axis: Axis::Scope,
        interval: Some((0.2, 0.3)),
        text: "25.0 % of user texts have 280 characters or more".to_owned(),
    };
    PublishedSender {
        answer: Arc::new(SenderAnswer {
            window: Window { sender: id.to_owned(), end: END },
            tenant: tenant.to_owned(),
            display_name: Some(format!("Shop {id}")),
            last_time: None,
            conversations: 12,
            coverage: Coverage { sends_with_status: Some(0.9), statuses_with_send: None },
            features,
            judgement: Judgement {
                verdict,
                score: Scores { scope, ..Scores::default() },
                scope_interval: None,
                reasons: vec![reason],
                counter_evidence: Vec::new(),
                notes: vec!["A note.".to_owned()],
                scorecard: "2026-11".to_owned(),
            },
        }),
        flag_on: verdict.flags(),
        flag_since: verdict.flags().then(|| END.start()),
    }
}

/// A state of these senders.
pub fn state(version: u64, senders: Vec<PublishedSender>) -> Published {
    Published {
        events_version: version,
        window_end: END,
        read_to: Some(Millis(1_794_096_147_127)),
        derived_at: Millis(1_794_096_200_000 + i64::try_from(version).expect("small")),
        flagged_at: Millis(0),
        provisional: true,
        senders,
    }
}

/// A gRPC server with a way to stop it.
pub struct Server {
    pub channel: Channel,
    stop: Option<oneshot::Sender<()>>,
    task: JoinSet<Result<(), ServeError>>,
}

impl Server {
    /// Serves the board.
    pub async fn start(board: &Board) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let (stop, stopped) = oneshot::channel::<()>();
        let mut task = JoinSet::new();
        let board = board.clone();
        task.spawn(serve_grpc(listener, board, async move {
            let _ = stopped.await;
        }));
        let channel = Endpoint::from_shared(format!("http://{address}")).expect("endpoint");
        let channel = channel.connect().await.expect("connect");
        Self { channel, stop: Some(stop), task }
    }

    /// Asks it to stop.
    pub fn shut_down(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("it serves");
        }
    }

    /// Waits until it stopped.
    pub async fn stopped(mut self) {
        self.shut_down();
        drop(self.channel);
        self.task.join_next().await.expect("one task").expect("no panic").expect("no error");
    }
}
