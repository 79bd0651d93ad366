use super::*;

const SAMPLE: &str = include_str!("../../../../deploy/turnwise.toml");
const SMALL: &str = "[lake]\nlocation = \"lake\"\n[secret]\nfile = \"secret\"\n";

fn none() -> std::iter::Empty<(String, String)> {
    std::iter::empty()
}

fn mistakes(text: &str) -> Vec<String> {
    load(text, none()).map(drop).expect_err("has mistakes")
}

#[test]
fn sample_loads_and_names_every_key() {
    let config = load(SAMPLE, none()).expect("loads");
    assert!(config.kafka.is_some());
    for (section, keys) in raw::KEYS {
        assert!(SAMPLE.contains(&format!("[{section}]")), "{section}");
        for key in keys.iter().filter(|key| **key != "*") {
            assert!(SAMPLE.lines().any(|line| is_key(line, key)), "{section}.{key}");
        }
    }
}

/// Optional keys stand in the sample behind a comment mark.
fn is_key(line: &str, key: &str) -> bool {
    let line = line.trim_start_matches(['#', ' ']);
    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[test]
fn small_configuration_has_defaults_on_loopback() {
    let config = load(SMALL, none()).expect("loads");
    assert!(config.kafka.is_none());
    assert!(config.grpc_listen.ip().is_loopback() && config.http_listen.ip().is_loopback());
    assert_eq!(config.commit_age_ms, limits::COMMIT_AGE_MS);
}

#[test]
fn every_mistake_is_named_at_once_with_its_key() {
    let text = "[kafka]\nbrokers = []\nstart = \"soon\"\nbroker = \"x\"\n[lake]\n\
                [ingest]\ncommit_age_ms = 1\ncommit_bytes = \"many\"\n[serve]\n\
                grpc_listen = \"here\"\n[other]\nkey = 1\n";
    let found = mistakes(text);
    for key in [
        "kafka.broker:",
        "kafka.brokers:",
        "kafka.webhook_topics:",
        "kafka.start:",
        "lake.location:",
        "secret.file:",
        "ingest.commit_age_ms:",
        "ingest.commit_bytes:",
        "serve.grpc_listen:",
        "other:",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(key)), "{key} in {found:?}");
    }
    assert!(!found.concat().contains("many"));
}

#[test]
fn lake_of_an_unknown_scheme_is_a_mistake() {
    let found = mistakes("[lake]\nlocation = \"ftp://lake\"\n[secret]\nfile = \"secret\"\n");
    assert_eq!(found, ["lake.location: expected a folder, a file:// or an s3:// address"]);
}

#[test]
fn properties_keep_their_dots_and_are_never_printed() {
    let text = format!(
        "{SMALL}[kafka]\nbrokers = \"a:1, b:2\"\nwebhook_topics = [\"w\"]\nstart = \
         \"2026-11-15T00:00:00Z\"\n[kafka.properties]\nsasl.password = \"hidden\"\n\
         \"socket.keepalive.enable\" = true\n"
    );
    let kafka = load(&text, none()).expect("loads").kafka.expect("there");
    assert_eq!(kafka.brokers, ["a:1", "b:2"]);
    assert!(matches!(kafka.start, Start::At(_)));
    assert_eq!(kafka.properties["sasl.password"], "hidden");
    assert_eq!(kafka.properties["socket.keepalive.enable"], "true");
    assert!(!format!("{kafka:?}").contains("hidden"));
}

#[test]
fn formats_are_of_topics_that_are_read() {
    let kafka = "[kafka]\nbrokers = \"a:1\"\nwebhook_topics = [\"w.in\", \"x\"]\n\
                 send_topics = [\"s\"]\n[kafka.formats]\n";
    let text = format!("{SMALL}{kafka}\"w.in\" = \"twilio\"\ns = \"protobuf\"\n");
    let loaded = load(&text, none()).expect("loads").kafka.expect("there").formats;
    let expected = [("s", Format::Protobuf), ("w.in", Format::Twilio)];
    assert_eq!(loaded, expected.map(|(topic, format)| (topic.to_owned(), format)).into());
    let found = mistakes(&format!("{SMALL}{kafka}\"w.in\" = \"telex\"\ny = \"auto\"\n"));
    assert!(found[0].starts_with("kafka.formats.w.in: no such format; there are auto, cloud_api"));
    assert_eq!(found[1], "kafka.formats.y: neither webhook_topics nor send_topics has this topic");
    let one = ("TURNWISE_KAFKA__FORMATS__W__IN".to_owned(), "infobip".to_owned());
    let loaded = load(&text, std::iter::once(one)).expect("loads").kafka.expect("there").formats;
    assert_eq!(loaded["w.in"], Format::Infobip);
}

#[test]
fn environment_overrides_the_file_and_other_names_are_not_configuration() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let environment = [
        pair("TURNWISE_LAKE__LOCATION", "s3://bucket/lake"),
        pair("TURNWISE_KAFKA__BROKERS", "a:1,b:2"),
        pair("TURNWISE_KAFKA__WEBHOOK_TOPICS", "[\"w\"]"),
        pair("TURNWISE_KAFKA__START", "2026-11-15T00:00:00Z"),
        pair("TURNWISE_KAFKA__PROPERTIES__SASL__PASSWORD", "p\"\nx = 1"),
        pair("TURNWISE_DERIVE__INTERVAL_S", "7"),
        pair("TURNWISE_DATA", "/somewhere"),
    ];
    let config = load(SMALL, environment.into_iter()).expect("loads");
    assert_eq!(config.lake_location, "s3://bucket/lake");
    assert_eq!(config.derive_interval_s, 7);
    let kafka = config.kafka.expect("there");
    assert_eq!(kafka.brokers, ["a:1", "b:2"]);
    assert_eq!(kafka.webhook_topics, ["w"]);
    assert!(matches!(kafka.start, Start::At(_)));
    assert_eq!(kafka.properties["sasl.password"], "p\"\nx = 1");
    let unknown = [pair("TURNWISE_LAKE__PLACE", "x")];
    let found = load(SMALL, unknown.into_iter()).map(drop).expect_err("unknown");
    assert_eq!(found, ["lake.place: unknown key"]);
}
