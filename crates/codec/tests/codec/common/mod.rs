//! What the tests of this folder share: a decoder and events made up by proptest.

pub mod check;
mod decoding;
pub mod wild;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use turnwise_codec::encode::{Account, Event, IdentityChange, Message, Person, Status, Text, What};
use turnwise_codec::{Format, RecordCounts};
use turnwise_model::Status as StatusCode;
use turnwise_model::{Category, Direction, EventBatch, EventKind, InteractiveType};
use turnwise_model::{MessageKind, Millis, Origin, PricingModel, PricingType};

pub use decoding::{NOW, decoder, put, put_with};

/// The batches of one record, in a form that compares.
pub fn rows_of(format: Format, record: &[u8]) -> (RecordCounts, Vec<Batch>) {
    let mut decoder = decoder();
    let counts = put(&mut decoder, 1, format, record);
    (counts, comparable(decoder.finish()))
}

pub type Batch = (EventKind, turnwise_model::Day, arrow_array::RecordBatch);

pub fn comparable(batches: Vec<EventBatch>) -> Vec<Batch> {
    batches.into_iter().map(|batch| (batch.kind, batch.date, batch.rows)).collect()
}

/// A text as people write: of any letters, with what JSON must escape.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z ?!.,]{0,40}",
        "\\PC{0,24}",
        "[\"\\\\/\u{8}\u{c}\n\r\t\u{0}-\u{1f}éß\u{4e2d}\u{1f600} a]{0,16}",
        "[a-z ]{300,400}",
    ]
}

fn person() -> impl Strategy<Value = Person> {
    let phone = prop_oneof!["[1-9][0-9]{6,14}", "[1-9][0-9]{10,11}"];
    let user_id = "[A-Z]{2}\\.[A-Za-z0-9]{1,20}";
    prop_oneof![
        4 => (phone.clone(), user_id).prop_map(|(phone, user_id)| Person { phone, user_id }),
        4 => phone.prop_map(|phone| Person { phone, user_id: String::new() }),
        2 => user_id.prop_map(|user_id| Person { phone: String::new(), user_id }),
        1 => Just(Person::default()),
    ]
}

fn content(kind: MessageKind) -> BoxedStrategy<Text> {
    use MessageKind as K;
    match kind {
        K::Text
        | K::Image
        | K::Audio
        | K::Video
        | K::Document
        | K::Sticker
        | K::Interactive
        | K::Button => prop_oneof![
            3 => text().prop_map(Text::Body),
            1 => (0_u32..65_537).prop_map(Text::Chars),
            1 => Just(Text::None),
        ]
        .boxed(),
        _ => Just(Text::None).boxed(),
    }
}

/// A message whose direction and origin fit each other.
fn message() -> impl Strategy<Value = (Person, Message)> {
    let ways = vec![
        (Origin::Live, Direction::Inbound),
        (Origin::Live, Direction::Outbound),
        (Origin::App, Direction::Outbound),
        (Origin::Standby, Direction::Inbound),
        (Origin::Standby, Direction::Outbound),
        (Origin::History, Direction::Inbound),
        (Origin::History, Direction::Outbound),
    ];
    let kind = prop_oneof![3 => Just(MessageKind::Text), 4 => select(MessageKind::ALL)];
    let made = kind.prop_flat_map(|kind| (Just(kind), content(kind)));
    let marks = (any::<bool>(), prop::bool::weighted(0.1), any::<bool>(), any::<bool>());
    let change = option::of((select(CHANGES), person()));
    let interactive = select(InteractiveType::ALL);
    (person(), "wamid\\.[A-Za-z0-9+/=]{1,80}", select(ways), made, interactive, marks, change)
        .prop_map(|(person, id, (origin, direction), (kind, text), interactive, marks, change)| {
            let (voice, in_group, is_reply, has_referral) = marks;
            let outbound = direction == Direction::Outbound;
            let system = kind == MessageKind::System && !outbound;
            let message = Message {
                id,
                origin,
                direction,
                kind,
                interactive: (kind == MessageKind::Interactive).then_some(interactive),
                text,
                voice: voice && kind == MessageKind::Audio,
                in_group,
                is_reply,
                has_referral: has_referral && !outbound,
                change: change.filter(|_| system).map(|(event, now)| IdentityChange { event, now }),
            };
            let peer = if in_group && outbound { Person::default() } else { person };
            (peer, message)
        })
}

const CHANGES: &[&str] =
    &["user_changed_number", "user_changed_user_id", "customer_changed_number"];

fn status() -> impl Strategy<Value = Status> {
    let prices = (
        option::of(select(Category::ALL)),
        option::of(select(Category::ALL)),
        option::of(select(PricingType::ALL)),
        option::of(select(PricingModel::ALL)),
    );
    let origin = select(vec![Origin::Live, Origin::Standby]);
    let error_code = option::of(0_i64..9_999_999);
    (
        "wamid\\.[A-Za-z0-9+/=]{1,80}",
        origin,
        select(StatusCode::ALL),
        any::<bool>(),
        prices,
        error_code,
    )
        .prop_map(|(message_id, origin, status, in_group, prices, error_code)| Status {
            message_id,
            origin,
            status,
            in_group,
            category: prices.0,
            conversation_origin: prices.1,
            pricing_type: prices.2,
            pricing_model: prices.3,
            error_code,
        })
}

fn account() -> impl Strategy<Value = (Person, Account)> {
    const EVENTS: &[&str] = &["ACCOUNT_VIOLATION", "DISABLED_UPDATE", "FLAGGED", "SOMETHING_NEW"];
    const ROLES: &[&str] = &["", "ai_agent", "escalation", "nobody"];
    let fact = select(vec!["account_update", "account_alerts", "phone_number_quality_update"]);
    let none = Person::default;
    prop_oneof![
        (fact, select(EVENTS)).prop_map(move |(field, event)| {
            (none(), Account { field, event, ..Account::default() })
        }),
        (person(), select(vec!["control_passed", "control_taken"]), select(ROLES), select(ROLES))
            .prop_map(|(peer, event, role_previous, role_new)| {
                let field = "messaging_handovers";
                (peer, Account { field, event, role_previous, role_new, ..Account::default() })
            }),
        (person(), "[A-Z]{2}\\.[0-9]{1,9}").prop_map(|(peer, user_id)| {
            let previous = Person { phone: String::new(), user_id };
            let (field, event) = ("user_id_update", "user_changed_user_id");
            (peer, Account { field, event, previous, ..Account::default() })
        }),
        (select(vec!["messages", "history"]), option::of(0_i64..9_999_999)).prop_map(
            move |(field, error_code)| {
                (none(), Account { field, event: "error", error_code, ..Account::default() })
            }
        ),
    ]
}

const IGNORED: &[&str] = &["mark_as_read", "typing", "send_failed", "calls", "flows", "security"];

/// Anything that may happen.
pub fn event() -> impl Strategy<Value = Event> {
    let what = prop_oneof![
        6 => message().prop_map(|(peer, message)| (peer, What::Message(message))),
        4 => (person(), status()).prop_map(|(peer, status)| (peer, What::Status(status))),
        2 => account().prop_map(|(peer, account)| (peer, What::Account(account))),
        1 => select(IGNORED).prop_map(|name| (Person::default(), What::Ignored(name))),
    ];
    let time = prop_oneof![
        4 => (1_451_606_400_i64..NOW / 1_000).prop_map(|seconds| seconds * 1_000),
        2 => NOW - 86_400_000..NOW,
        1 => Just(NOW),
    ];
    (what, time, "[0-9]{0,17}", "[1-9][0-9]{2,16}").prop_map(
        |((peer, what), time, waba_id, phone_number_id)| Event {
            waba_id,
            phone_number_id,
            time: Some(Millis(time)),
            peer,
            what,
        },
    )
}

/// Some of them.
pub fn events() -> impl Strategy<Value = Vec<Event>> {
    vec(event(), 1..6)
}
