//! Links that are lost: who is in doubt, and nobody else.

use super::*;
use crate::deliver::window;

/// What servers offer, and how many mails are under way on a connection then.
const OFFERS: [(&[Extension], u64); 3] = [
    (&[], window::MOST as u64),
    (&[Extension::Chunking], 2),
    (&[Extension::Chunking, Extension::Pipelining], 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_costs_nobody_a_mail() {
    for (without, most) in OFFERS {
        for (fault, every) in [
            ("close-after=7", 0),
            ("drop=connect/2", 0),
            ("drop=mail/29", 29),
            ("drop=rcpt/33", 33),
            ("drop=data/31", 31),
        ] {
            let world = World::without(without, "connections = 3", &[fault], &[("spring", 200)]).await;
            let report = world.send("spring", Patience::Wait).await;
            let case = format!("{fault}, {most} under way");
            assert_eq!(report.ended, Ended::Done, "{case}");
            let tally = world.tally(world.id("spring").await);
            assert_eq!((tally.sent + tally.in_doubt, tally.failed), (200, 0), "{case}");
            assert_nobody_twice(&world.accepted());
            assert_eq!(world.server.counts().mails, tally.sent, "{case}");
            // Only with CHUNKING do whole mails leave before the server has said a word about them.
            let is_chunked = most == window::MOST as u64;
            let losses = if is_chunked && every > 0 {
                200 / every + 1
            } else {
                0
            };
            assert!(tally.in_doubt <= losses * (most - 1), "{case}: {tally:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_mails_whose_end_of_data_had_left_are_in_doubt() {
    for (without, most) in OFFERS {
        for (fault, is_stored) in [("drop=after-data/25", false), ("drop=after-store/25", true)] {
            let world = World::without(without, "connections = 2", &[fault], &[("spring", 500)]).await;
            let case = format!("{fault}, {most} under way");
            let report = world.send("spring", Patience::Wait).await;
            assert_eq!(report.ended, Ended::Done, "{case}");
            let tally = world.tally(world.id("spring").await);
            let stored = world.server.counts().mails;
            assert_eq!(tally.sent + tally.in_doubt, 500, "{case}");
            if most == window::MOST as u64 {
                assert!((10..=20 * most).contains(&tally.in_doubt), "{case}: {tally:?}");
                assert!(stored >= tally.sent, "{case}: {tally:?}");
            } else {
                assert_eq!(tally.in_doubt, 20, "{case}");
                assert_eq!(stored, tally.sent + if is_stored { 20 } else { 0 }, "{case}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_offers_chunking_and_does_not_know_it_costs_nobody_a_mail() {
    let faults = ["bdat=502 5.5.1 command not recognized"];
    let world = World::new("connections = 2", &faults, &[("spring", 100)]).await;
    assert_eq!(world.send("spring", Patience::Wait).await.ended, Ended::Done);
    let tally = world.tally(world.id("spring").await);
    assert_eq!((tally.sent, tally.in_doubt, tally.failed), (100, 0, 0));
    assert_eq!(world.server.counts().mails, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_mails_and_never_answers_is_left_alone() {
    for (without, most) in OFFERS {
        let world = World::without(without, "", &["drop=after-store"], &[("spring", 200)]).await;
        let report = world.send("spring", Patience::Wait).await;
        assert!(matches!(report.ended, Ended::Unreachable(_)), "{report:?}");
        let tally = world.tally(world.id("spring").await);
        // One connection after the other, each with one mail: nothing was accepted, so nothing grew.
        assert!((6..=8).contains(&tally.in_doubt), "{most} under way: {tally:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_swallows_every_fifth_mail_is_left_alone_too() {
    let world = World::new("connections = 4", &["drop=after-store/5"], &[("spring", 2_000)]).await;
    let report = world.send("spring", Patience::Wait).await;
    assert!(matches!(report.ended, Ended::Unreachable(_)), "{report:?}");
    let tally = world.tally(world.id("spring").await);
    assert!(tally.in_doubt <= (14 + 4) * window::MOST as u64, "{tally:?}");
    assert!(tally.pending > 1_000, "{tally:?}");
}

/// A server that breaks off at every mail, at a stage where the mail itself might be at fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_off_at_every_mail_fails_nobody() {
    for (without, most) in OFFERS {
        for fault in [
            "reply@rcpt=421 4.3.2 going down",
            "reply@end-of-data=421 4.3.2 going down",
        ] {
            let case = format!("{fault}, {most} under way");
            let world = World::without(without, "connections = 4", &[fault], &[("spring", 300)]).await;
            for _run in 0..12 {
                let report = world.send("spring", Patience::Wait).await;
                assert!(
                    matches!(report.ended, Ended::Unreachable(_)),
                    "{case}: {report:?}"
                );
                // The next one comes by cron.
                world.clock.wait_until(world.clock.now_ms() + 3_600_000).await;
            }
            let tally = world.tally(world.id("spring").await);
            assert_eq!((tally.pending, tally.failed), (300, 0), "{case}");
            let connections = world.server.counts().connections;
            assert!(connections <= 12 * 4 * 6, "{case}: {connections} connections");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_said_costs_no_quota() {
    // Six times a connection breaks off with mails behind the one it breaks off at.
    let world = World::new("rates = [\"200/day\"]", &["close-after=30"], &[("spring", 250)]).await;
    let report = world.send("spring", Patience::End).await;
    assert!(matches!(report.ended, Ended::Quota(_)), "{report:?}");
    let tally = world.tally(world.id("spring").await);
    assert_eq!(tally.sent + tally.in_doubt, 200, "{tally:?}");
}
