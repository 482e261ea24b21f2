//! Turning content into the bytes of a mail, and their digest.

use crate::world::{NOW_MS, Size, World};
use divan::Bencher;
use mailshot::compose::{Body, Footer, Postal, To};
use mailshot::dkim::{Algorithm, BITS, Key, Signer};
use mailshot::mail::DeliveryTag;
use mailshot::render::escape_html;

#[divan::bench(args = [Size::Each, Size::Small])]
fn compose(bencher: Bencher<'_, '_>, size: Size) {
    let world = World::new(size);
    let composer = world.composer();
    let content = world
        .maker()
        .make_to_send(&world.recipient, NOW_MS)
        .unwrap()
        .content;
    let tag = DeliveryTag::derive(
        "0192f0c1-7a5e-7000-8000-000000000001",
        &world.recipient.address,
        mailshot::mail::Volume::FIRST,
    );
    let links = composer.links(tag);
    let postal_html = escape_html(&world.campaign.postal_address);
    let footer = Footer {
        links: &links,
        postal: &Postal::new(&world.campaign.postal_address, &postal_html),
    };
    let to = To {
        address: &world.recipient.address,
        name: Some("José Núñez"),
        tag,
    };
    let date = jiff::Timestamp::from_millisecond(NOW_MS).unwrap();
    bencher.bench(|| {
        composer
            .compose(
                &to,
                &Body {
                    content: &content,
                    footer: &footer,
                    files: &[],
                },
                date,
            )
            .unwrap()
    });
}

#[divan::bench(args = [(Algorithm::Rsa, Size::Small), (Algorithm::Rsa, Size::Each), (Algorithm::Ed25519, Size::Small)])]
fn sign(bencher: Bencher<'_, '_>, (algorithm, size): (Algorithm, Size)) {
    let world = World::new(size);
    let mail = world.maker().make_to_send(&world.recipient, NOW_MS).unwrap();
    let key = Key::from_pem(&Key::generate(algorithm, BITS).unwrap()).unwrap();
    let signer = Signer::new("aurora-home.example".to_owned(), "m1".to_owned(), key);
    bencher.bench(|| signer.sign(&mail.message.bytes, 1_795_410_622).unwrap());
}

#[divan::bench(args = [Size::Each, Size::Small])]
fn digest(bencher: Bencher<'_, '_>, size: Size) {
    let world = World::new(size);
    let message = world
        .maker()
        .make_to_send(&world.recipient, NOW_MS)
        .unwrap()
        .message;
    bencher.bench(|| message.digest());
}
