//! What operators see: health, reflection, metrics and probes.

use crate::common::{Server, sender, state};
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use turnwise_model::{Millis, Verdict};
use turnwise_serve::proto::flagged_senders_client::FlaggedSendersClient;
use turnwise_serve::proto::{GetRequest, ListRequest};
use turnwise_serve::{Board, Health, Retry, install_recorder, serve_http};

const SERVICE: &str = "turnwise.v1.FlaggedSenders";

#[tokio::test]
async fn health_serves_after_the_first_publication_and_not_while_draining() {
    let board = Board::new();
    let mut server = Server::start(&board).await;
    let mut health = HealthClient::new(server.channel.clone());
    let request = HealthCheckRequest { service: SERVICE.into() };
    let mut changes = health.watch(request).await.expect("watch").into_inner();
    let whole = health.check(HealthCheckRequest::default()).await.expect("check").into_inner();
    assert_eq!(whole.status(), ServingStatus::Serving);
    assert_eq!(
        changes.next().await.expect("one").expect("status").status(),
        ServingStatus::NotServing
    );
    board.publish(state(1, Vec::new()));
    assert_eq!(
        changes.next().await.expect("two").expect("status").status(),
        ServingStatus::Serving
    );
    server.shut_down();
    assert_eq!(
        changes.next().await.expect("three").expect("status").status(),
        ServingStatus::NotServing
    );
    drop((changes, health));
    server.stopped().await;
}

/// The services that a version of reflection lists: the versions differ in nothing but their types.
macro_rules! listed {
    ($server:expr, $version:ident) => {{
        use tonic_reflection::pb::$version::{
            ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
        };
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut answers = ServerReflectionClient::new($server.channel.clone())
            .server_reflection_info(tokio_stream::iter([request]))
            .await
            .expect(stringify!($version))
            .into_inner();
        let answer = answers.next().await.expect("one").expect("answer");
        let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
            panic!("no list of services");
        };
        list.service.into_iter().map(|service| service.name).collect::<Vec<String>>()
    }};
}

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let server = Server::start(&Board::new()).await;
    let names = [listed!(server, v1), listed!(server, v1alpha)];
    for list in names {
        assert!(list.iter().any(|name| name == SERVICE), "{list:?}");
        assert!(list.iter().any(|name| name == "grpc.health.v1.Health"), "{list:?}");
    }
}

/// The status line's code and the body.
async fn fetch(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("write");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("code");
    (code, body.to_owned())
}

#[tokio::test]
async fn http_tells_readiness_life_and_metrics_without_open_labels() {
    let prometheus = install_recorder().expect("first recorder");
    assert_eq!(install_recorder().err().map(|error| error.retry()), Some(Retry::Never));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let health = Health::new();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut task = JoinSet::new();
    task.spawn(serve_http(listener, prometheus, health.clone(), async move {
        let _ = stopped.await;
    }));

    assert_eq!(fetch(address, "/readyz").await, (503, "not ready: nothing started\n".into()));
    health.set_ready("lake", false);
    health.set_ready("grpc", true);
    assert_eq!(fetch(address, "/readyz").await, (503, "not ready: lake\n".into()));
    assert_eq!(fetch(address, "/livez").await, (200, "alive\n".into()));
    health.set_ready("lake", true);
    assert_eq!(fetch(address, "/readyz").await, (200, "ready\n".into()));
    // A loop that was last seen in 1970 is stuck; one that beats in the far future is not.
    health.watch("derive", 1_000, Millis(0));
    assert_eq!(fetch(address, "/livez").await, (503, "stuck: derive\n".into()));
    health.beat("derive", Millis(i64::MAX));
    assert_eq!(fetch(address, "/livez").await.0, 200);
    assert_eq!(fetch(address, "/other").await.0, 404);

    let board = Board::new();
    board.publish(state(3, vec![sender("106540352242922", "acme", Verdict::Review, None)]));
    let server = Server::start(&board).await;
    let mut client = FlaggedSendersClient::new(server.channel.clone());
    let list = ListRequest { tenant: "acme".into(), ..Default::default() };
    client.list(list).await.expect("list");
    client.get(GetRequest { sender: "106540352242922".into() }).await.expect("get");
    client.get(GetRequest { sender: "491701234567".into() }).await.expect_err("unknown");
    let (code, text) = fetch(address, "/metrics").await;
    assert_eq!(code, 200);
    // The recorder is the process's, so calls of tests beside this one are counted too.
    for (series, least) in [
        ("turnwise_grpc_requests_total{method=\"List\",code=\"ok\"} ", 1),
        ("turnwise_grpc_requests_total{method=\"Get\",code=\"not_found\"} ", 1),
        ("turnwise_grpc_request_duration_seconds_bucket{method=\"Get\",le=\"+Inf\"} ", 2),
    ] {
        let count = text.lines().find_map(|line| line.strip_prefix(series)?.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count >= least), "{series}{count:?} in\n{text}");
    }
    for line in [
        "# TYPE turnwise_grpc_request_duration_seconds histogram",
        "# TYPE turnwise_grpc_requests_total counter",
        "turnwise_serve_derived_timestamp_seconds ",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    for open in ["106540352242922", "491701234567", "acme", "quantile", " summary"] {
        assert!(!text.contains(open), "{open} in\n{text}");
    }
    stop.send(()).expect("it serves");
    task.join_next().await.expect("one task").expect("no panic").expect("no error");
}
