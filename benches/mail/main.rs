//! What one mail costs, step by step: `cargo bench --bench mail`. One binary: it links once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench is no part of the program"
)]

mod compose;
mod make;
mod render;
mod world;

fn main() {
    divan::main();
}
