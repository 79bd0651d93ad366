//! The service over real sockets: lists, pages, filters, single senders and refusals.

use std::sync::Arc;

use crate::common::{END, Server, sender, state};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use turnwise_model::Verdict;
use turnwise_model::limits::{GRPC_REQUEST_BYTES_MAX, PUBLICATIONS_KEPT};
use turnwise_serve::proto::flagged_senders_client::FlaggedSendersClient;
use turnwise_serve::proto::{self, GetRequest, ListRequest};
use turnwise_serve::{Board, PublishedSender};

type Client = FlaggedSendersClient<tonic::transport::Channel>;

fn mixed() -> Vec<PublishedSender> {
    vec![
        sender("300", "b", Verdict::Review, Some(0.6)),
        sender("100", "a", Verdict::LikelyGeneralPurpose, Some(0.9)),
        sender("200", "a", Verdict::TaskOrHuman, Some(0.1)),
        sender("500", "b", Verdict::Insufficient, None),
        sender("400", "a", Verdict::Review, None),
    ]
}

async fn served(senders: Vec<PublishedSender>) -> (Board, Server, Client) {
    let board = Board::new();
    board.publish(state(7, senders));
    let server = Server::start(&board).await;
    let client = FlaggedSendersClient::new(server.channel.clone());
    (board, server, client)
}

async fn ids(client: &mut Client, request: ListRequest) -> Vec<String> {
    let answer = client.list(request).await.expect("list").into_inner();
    answer.senders.into_iter().map(|sender| sender.sender).collect()
}

fn field_of(status: &Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_details_bad_request().expect("bad request");
    details.field_violations.first().expect("one violation").field.clone()
}

fn reason_of(status: &Status) -> String {
    status.get_details_error_info().expect("error info").reason
}

#[tokio::test]
async fn list_has_flagged_senders_in_order_with_what_they_stand_on() {
    let (_board, server, mut client) = served(mixed()).await;
    let answer = client.list(ListRequest::default()).await.expect("list").into_inner();
    let found: Vec<&str> = answer.senders.iter().map(|sender| sender.sender.as_str()).collect();
    assert_eq!(found, ["100", "300", "400"]);
    assert!(answer.next_page_token.is_empty());
    let first = &answer.senders[0];
    assert_eq!(first.verdict(), proto::Verdict::LikelyGeneralPurpose);
    assert_eq!((first.tenant.as_str(), first.display_name.as_str()), ("a", "Shop 100"));
    assert_eq!(first.window_end.expect("end").seconds, i64::from(END.0) * 86_400);
    assert!(first.provisional && first.flag.expect("flag").on);
    let as_of = answer.as_of.expect("as of");
    assert_eq!(as_of.events_version, 7);
    assert_eq!(as_of.read_to.expect("read to").nanos, 127_000_000);
    drop(client);
    server.stopped().await;
}

#[tokio::test]
async fn filters_narrow_the_list_and_unset_ones_do_not() {
    let (_board, _server, mut client) = served(mixed()).await;
    let base = ListRequest { include_unflagged: true, ..ListRequest::default() };
    assert_eq!(ids(&mut client, base.clone()).await, ["100", "200", "300", "400", "500"]);
    let tenant = ListRequest { tenant: "a".into(), ..base.clone() };
    assert_eq!(ids(&mut client, tenant).await, ["100", "200", "400"]);
    let verdicts = vec![proto::Verdict::Review.into(), proto::Verdict::Insufficient.into()];
    let verdicts = ListRequest { verdicts, ..base.clone() };
    assert_eq!(ids(&mut client, verdicts).await, ["300", "400", "500"]);
    // A Scope that is not known is at least nothing, not even 0.
    let scope = ListRequest { scope_min: Some(0.0), ..base.clone() };
    assert_eq!(ids(&mut client, scope).await, ["100", "200", "300"]);
    let scope = ListRequest { scope_min: Some(0.6), tenant: "b".into(), ..base };
    assert_eq!(ids(&mut client, scope).await, ["300"]);
    let nobody = ListRequest { tenant: "c".into(), ..ListRequest::default() };
    assert!(ids(&mut client, nobody).await.is_empty());
}

#[tokio::test]
async fn pages_tile_the_list_of_the_state_they_began_with() {
    let (board, _server, mut client) = served(mixed()).await;
    let mut request = ListRequest { page_size: 2, include_unflagged: true, ..Default::default() };
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let answer = client.list(request.clone()).await.expect("list").into_inner();
        assert_eq!(answer.as_of.expect("as of").events_version, 7);
        found.extend(answer.senders.into_iter().map(|sender| sender.sender));
        pages += 1;
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
        // A newer state does not disturb the pages of the older one.
        board.publish(state(7 + pages, vec![sender("250", "a", Verdict::Review, None)]));
    }
    assert_eq!(found, ["100", "200", "300", "400", "500"]);
    assert_eq!(pages, 3);
    assert_eq!(ids(&mut client, ListRequest::default()).await, ["250"]);
}

#[tokio::test]
async fn token_with_other_filters_is_refused_and_one_of_a_lost_state_expires() {
    let (board, _server, mut client) = served(mixed()).await;
    let request = ListRequest { page_size: 1, ..Default::default() };
    let page_token = client.list(request).await.expect("list").into_inner().next_page_token;
    let other =
        ListRequest { page_token: page_token.clone(), tenant: "a".into(), ..Default::default() };
    assert_eq!(field_of(&client.list(other).await.expect_err("other")), "page_token");
    let rubbish = ListRequest { page_token: "rubbish".into(), ..Default::default() };
    assert_eq!(field_of(&client.list(rubbish).await.expect_err("rubbish")), "page_token");
    let resized = ListRequest { page_token, page_size: 5, ..Default::default() };
    assert_eq!(ids(&mut client, resized.clone()).await, ["300", "400"]);
    for more in 0..PUBLICATIONS_KEPT as u64 {
        board.publish(state(8 + more, mixed()));
    }
    let status = client.list(resized).await.expect_err("expired");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(reason_of(&status), "PAGE_EXPIRED");
}

#[tokio::test]
async fn fields_that_cannot_be_used_are_named() {
    let (_board, _server, mut client) = served(mixed()).await;
    for (request, field) in [
        (ListRequest { page_size: -1, ..Default::default() }, "page_size"),
        (ListRequest { verdicts: vec![0], ..Default::default() }, "verdicts"),
        (ListRequest { verdicts: vec![1, 99], ..Default::default() }, "verdicts"),
        (ListRequest { scope_min: Some(f64::NAN), ..Default::default() }, "scope_min"),
        (ListRequest { scope_min: Some(1.5), ..Default::default() }, "scope_min"),
    ] {
        assert_eq!(field_of(&client.list(request).await.expect_err(field)), field);
    }
    let empty = client.get(GetRequest::default()).await.expect_err("empty");
    assert_eq!(field_of(&empty), "sender");
}

#[tokio::test]
async fn get_shows_features_reasons_and_coverage() {
    let (_board, _server, mut client) = served(mixed()).await;
    let answer = client.get(GetRequest { sender: "200".into() }).await.expect("get").into_inner();
    let summary = answer.summary.expect("summary");
    assert_eq!((summary.sender.as_str(), summary.conversations), ("200", 12));
    assert!(!summary.flag.expect("flag").on);
    let feature =
        answer.features.iter().find(|feature| feature.name == "F30_user_long").expect("feature");
    assert_eq!((feature.value, feature.n), (Some(0.25), 400));
    assert_eq!(feature.interval.expect("interval").low, 0.2);
    assert!(answer.features.iter().filter(|feature| feature.value.is_some()).count() == 1);
    assert_eq!(answer.reasons[0].axis(), proto::Axis::Scope);
    assert_eq!(answer.notes, ["A note."]);
    let coverage = answer.coverage.expect("coverage");
    assert_eq!((coverage.sends_with_status, coverage.statuses_with_send), (Some(0.9), None));
}

#[tokio::test]
async fn unknown_sender_is_not_found_and_not_repeated() {
    let (_board, _server, mut client) = served(mixed()).await;
    let asked = "4917012345678";
    let status = client.get(GetRequest { sender: asked.into() }).await.expect_err("unknown");
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(reason_of(&status), "SENDER_NOT_FOUND");
    let resource = status.get_details_resource_info().expect("resource");
    assert_eq!(resource.resource_type, "turnwise.v1.Sender");
    assert!(!format!("{status:?}").contains(asked));
}

#[tokio::test]
async fn nothing_published_is_unavailable_with_a_time_to_try_again() {
    let board = Board::new();
    let server = Server::start(&board).await;
    let mut client = FlaggedSendersClient::new(server.channel.clone());
    let list = client.list(ListRequest::default()).await.expect_err("nothing");
    let get = client.get(GetRequest { sender: "1".into() }).await.expect_err("nothing");
    for status in [list, get] {
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason_of(&status), "NOT_PUBLISHED");
        assert!(status.get_details_retry_info().expect("retry").retry_delay.is_some());
    }
}

#[tokio::test]
async fn request_above_the_limit_is_refused_and_gzip_is_spoken() {
    let (_board, server, mut client) = served(mixed()).await;
    let sender = "1".repeat(GRPC_REQUEST_BYTES_MAX + 1);
    let status = client.get(GetRequest { sender }).await.expect_err("too large");
    assert_eq!(status.code(), Code::OutOfRange);
    let mut zipped = FlaggedSendersClient::new(server.channel.clone())
        .send_compressed(tonic::codec::CompressionEncoding::Gzip)
        .accept_compressed(tonic::codec::CompressionEncoding::Gzip);
    assert_eq!(ids(&mut zipped, ListRequest::default()).await, ["100", "300", "400"]);
}

#[tokio::test]
async fn newest_window_of_a_sender_is_the_one_that_is_served() {
    let mut older = sender("100", "a", Verdict::Review, None);
    Arc::make_mut(&mut older.answer).window.end = turnwise_model::Day(END.0 - 1);
    let newer = sender("100", "a", Verdict::TaskOrHuman, None);
    let (_board, _server, mut client) = served(vec![older, newer]).await;
    let answer = client.get(GetRequest { sender: "100".into() }).await.expect("get").into_inner();
    assert_eq!(answer.summary.expect("summary").verdict(), proto::Verdict::TaskOrHuman);
}
