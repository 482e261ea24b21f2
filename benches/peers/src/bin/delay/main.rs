//! A slow link: a TCP proxy that hands on every octet half a round trip after it came.
//!
//! It keeps the order, and as much under way as fits into its queue, so that it delays and does not throttle. What it
//! does not play: loss, and the slow start of TCP, since both of its ends are on loopback.

mod link;
mod probe;

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

const USAGE: &str = "usage: delay PORT ROUND_TRIP_MS\n       delay --probe ROUND_TRIP_MS";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, round_trip] = words.as_slice() else {
        return Err(USAGE.into());
    };
    let round_trip = Duration::from_millis(round_trip.parse()?);
    if what == "--probe" {
        println!("{}", probe::measure(round_trip)?);
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    link::serve(&listener, ("127.0.0.1", what.parse()?), round_trip);
    Ok(())
}
