//! Measures what the link itself can do, so that nobody takes its ceiling for that of a client.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::link;

const ECHOES: usize = 40;
const BULK_MB: usize = 1024;
const MB: usize = 1 << 20;

/// One line of JSON: the median echo in milliseconds, and megabytes per second in one direction of one connection.
pub(super) fn measure(round_trip: Duration) -> Result<String, Box<dyn Error>> {
    let peer = TcpListener::bind("127.0.0.1:0")?;
    let target = peer.local_addr()?.port();
    let entrance = TcpListener::bind("127.0.0.1:0")?;
    let port = entrance.local_addr()?.port();
    thread::spawn(move || link::serve(&entrance, ("127.0.0.1", target), round_trip));

    let echo = echo(&peer, port)?;
    let bulk = bulk(&peer, port)?;
    Ok(format!(
        "{{\"echo_ms\": {echo:.2}, \"bulk_mb_per_s\": {bulk:.0}}}"
    ))
}

fn echo(peer: &TcpListener, port: u16) -> Result<f64, Box<dyn Error>> {
    let mut near = TcpStream::connect(("127.0.0.1", port))?;
    let (mut far, _) = peer.accept()?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    thread::spawn(move || {
        let mut octet = [0];
        while far.read_exact(&mut octet).is_ok() && far.write_all(&octet).is_ok() {}
    });
    let mut times = Vec::new();
    for _ in 0..ECHOES {
        let began = Instant::now();
        near.write_all(b"x")?;
        near.read_exact(&mut [0])?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times[ECHOES / 2].as_secs_f64() * 1000.0)
}

fn bulk(peer: &TcpListener, port: u16) -> Result<f64, Box<dyn Error>> {
    let mut near = TcpStream::connect(("127.0.0.1", port))?;
    let (mut far, _) = peer.accept()?;
    thread::spawn(move || {
        let block = vec![0; MB];
        (0..BULK_MB).try_for_each(|_| near.write_all(&block))
    });
    let mut buffer = vec![0; MB];
    let mut left = BULK_MB * MB;
    far.read_exact(&mut [0])?;
    left -= 1;
    let began = Instant::now();
    while left > 0 {
        match far.read(&mut buffer)? {
            0 => return Err("the link ended early".into()),
            count => left -= count,
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let megabytes = BULK_MB as f64;
    Ok(megabytes / began.elapsed().as_secs_f64())
}
