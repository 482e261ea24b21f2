//! The hot path as a whole: what the loop does for each mail before it is sent, and `check` for each row.

use crate::world::{NOW_MS, Size, World};
use divan::Bencher;

/// As in `check`: the mail is made, its digest is not needed.
#[divan::bench(args = [Size::Each, Size::Flat, Size::Small])]
fn make(bencher: Bencher<'_, '_>, size: Size) {
    let world = World::new(size);
    let maker = world.maker();
    bencher.bench(|| {
        maker
            .make_to_send(&world.recipient, NOW_MS)
            .unwrap()
            .message
            .bytes
            .len()
    });
}

/// As in `send`: with the digest that goes into the ledger.
#[divan::bench(args = [Size::Each, Size::Flat, Size::Small])]
fn make_and_digest(bencher: Bencher<'_, '_>, size: Size) {
    let world = World::new(size);
    let maker = world.maker();
    bencher.bench(|| {
        maker
            .make_to_send(&world.recipient, NOW_MS)
            .unwrap()
            .message
            .digest()
    });
}
