//! Whether a broker answers: one ApiVersions request, the first of every Kafka conversation.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Correlation id of the request; the answer repeats it.
const CORRELATION: i32 = 7;

/// Waits until the broker at this loopback port answers.
pub(super) fn wait_until_answering(port: u16, timeout: Duration) -> Result<()> {
    let deadline = Instant::now() + timeout;
    loop {
        match answers(port) {
            Ok(()) => return Ok(()),
            Err(error) if Instant::now() >= deadline => {
                bail!("no answer from the broker's port: {error}")
            }
            Err(_) => std::thread::sleep(RETRY_PAUSE),
        }
    }
}

fn answers(port: u16) -> io::Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, REQUEST_TIMEOUT)?;
    stream.set_read_timeout(Some(REQUEST_TIMEOUT))?;
    stream.write_all(&request())?;
    let mut head = [0_u8; 10];
    stream.read_exact(&mut head)?;
    check(&head)
}

/// Size, API key 18, version 0, correlation id, no client id.
fn request() -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(18_i16.to_be_bytes());
    body.extend(0_i16.to_be_bytes());
    body.extend(CORRELATION.to_be_bytes());
    body.extend((-1_i16).to_be_bytes());
    let mut bytes = (body.len() as i32).to_be_bytes().to_vec();
    bytes.extend(body);
    bytes
}

/// Size, correlation id, error code.
fn check(head: &[u8; 10]) -> io::Result<()> {
    let correlation = i32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let code = i16::from_be_bytes([head[8], head[9]]);
    if correlation != CORRELATION || code != 0 {
        return Err(io::Error::other(format!("answer to {correlation} with code {code}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_with_an_error_code_is_no_answer() {
        let mut head = [0, 0, 0, 6, 0, 0, 0, 7, 0, 0];
        check(&head).expect("an answer");
        head[9] = 35;
        assert!(check(&head).is_err());
    }
}
