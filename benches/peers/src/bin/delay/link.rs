//! The link itself: four threads for each connection, two for each way.
//!
//! Threads, not tasks: a thread wakes within a tenth of a millisecond of its time, a timer wheel within one.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The most octets that are read at once.
const CHUNK: usize = 1 << 16;
/// Chunks under way in one direction: 64 MB at most, more than any socket's buffers would hold.
const UNDER_WAY_MAX: usize = 1024;

/// What was read, and when it is due at the other end. Nothing read: the end.
struct Chunk {
    due: Instant,
    octets: Vec<u8>,
}

/// Accepts connections and carries each to the target, for ever.
pub(super) fn serve(listener: &TcpListener, target: (&'static str, u16), round_trip: Duration) {
    for client in listener.incoming() {
        match client {
            Ok(client) => {
                thread::spawn(move || {
                    if let Err(error) = carry(client, target, round_trip) {
                        eprintln!("delay: {error}");
                    }
                });
            }
            Err(error) => eprintln!("delay: {error}"),
        }
    }
}

fn carry(client: TcpStream, target: (&str, u16), round_trip: Duration) -> std::io::Result<()> {
    let half = round_trip / 2;
    // Over a real link the server sees the connection after the three-way handshake: one and a half round trips.
    thread::sleep(round_trip + half);
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    one_way(client.try_clone()?, server.try_clone()?, half);
    one_way(server, client, half);
    Ok(())
}

fn one_way(from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver) = sync_channel(UNDER_WAY_MAX);
    thread::spawn(move || take(from, &sender, delay));
    thread::spawn(move || give(to, &receiver));
}

fn take(mut from: TcpStream, sender: &SyncSender<Chunk>, delay: Duration) {
    let mut buffer = vec![0; CHUNK];
    loop {
        // A broken link is an end like any other: the client under test says what it met.
        let count = from.read(&mut buffer).unwrap_or(0);
        let chunk = Chunk {
            due: Instant::now() + delay,
            octets: buffer[..count].to_vec(),
        };
        if sender.send(chunk).is_err() || count == 0 {
            return;
        }
    }
}

fn give(mut to: TcpStream, receiver: &Receiver<Chunk>) {
    for chunk in receiver {
        thread::sleep(chunk.due.saturating_duration_since(Instant::now()));
        if chunk.octets.is_empty() {
            break;
        }
        if to.write_all(&chunk.octets).is_err() {
            // Nobody listens any more: let the other end notice too.
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
