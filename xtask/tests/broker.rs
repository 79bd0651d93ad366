//! A real broker comes up, survives its death and leaves nothing behind.

use std::net::TcpStream;
use std::path::Path;

use xtask::kafka::{Broker, BrokerOptions};

#[test]
fn broker_answers_comes_back_on_its_port_and_leaves_no_process() {
    // Set by `cargo xtask test`, which has brought the jars.
    if std::env::var_os("TURNWISE_KAFKA_HOME").is_none() {
        return;
    }
    let mut broker = Broker::start(BrokerOptions::default()).expect("started");
    let address = broker.bootstrap();
    let first = broker.pid();
    broker.kill();
    assert!(TcpStream::connect(&address).is_err(), "a killed broker still listens");
    broker.restart().expect("restarted");
    assert_eq!(broker.bootstrap(), address);
    assert_ne!(broker.pid(), first);
    TcpStream::connect(&address).expect("the restarted broker listens");
    let process = format!("/proc/{}", broker.pid());
    broker.stop();
    assert!(!Path::new(&process).exists(), "the broker outlived its owner");
}
