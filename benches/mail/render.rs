//! Rendering one recipient's content: subject, preheader, footers, HTML, and the text made from it.

use crate::world::{Size, World};
use divan::Bencher;
use mailshot::render::Given;

#[divan::bench(args = [Size::Each, Size::Flat, Size::Small])]
fn render(bencher: Bencher<'_, '_>, size: Size) {
    let world = World::new(size);
    let templates = world.templates();
    let given = Given {
        unsubscribe_url: "https://news.aurora-home.example/u/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-ABCDEF",
        postal_address: &world.campaign.postal_address,
        campaign: &world.campaign.name,
        date: "2026-11-23",
    };
    bencher.bench(|| templates.render(&world.recipient, &given).unwrap());
}
