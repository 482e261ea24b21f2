//! Quotas through the real program and the real clock, on a small scale. Days and months pass in `src/pipeline`.

use super::harness::{Sandbox, Workspace, people};

/// The most mails in any window of this length.
fn most_within(sandbox: &Sandbox, window_ms: i64) -> usize {
    let mut times: Vec<i64> = sandbox.journal().iter().map(|entry| entry.at_ms).collect();
    times.sort_unstable();
    let held = |first: &i64| {
        times
            .iter()
            .filter(|at| (*first..first + window_ms).contains(*at))
            .count()
    };
    times.iter().map(held).max().unwrap_or(0)
}

#[test]
fn no_second_ever_holds_one_mail_too_many() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(
        &format!("{}rates = [\"3/s\"]\nconnections = 5", sandbox.account()),
        &people(12),
    );
    workspace.send(&[]).expect(0);
    assert_eq!(sandbox.journal().len(), 12);
    assert!(most_within(&sandbox, 1_000) <= 3, "{:?}", sandbox.journal());
}

#[test]
fn restarts_do_not_make_a_second_hold_more() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&format!("{}rates = [\"3/s\"]", sandbox.account()), &people(8));
    for code in [75, 75, 75, 75, 0] {
        // Each run begins with a fresh pace; only the ledger remembers.
        let limit = if code == 0 {
            [].as_slice()
        } else {
            &["--limit", "2"]
        };
        if workspace.send(limit).code == Some(0) {
            break;
        }
    }
    assert_eq!(sandbox.journal().len(), 8);
    assert!(most_within(&sandbox, 1_000) <= 3, "{:?}", sandbox.journal());
}

#[test]
fn a_spent_day_pauses_the_campaign_and_says_when_it_goes_on() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(
        &format!("{}rates = [\"5/day\"]\nconnections = 3", sandbox.account()),
        &people(12),
    );
    workspace.send(&[]).expect(75).says(&[
        "paused: today's quota of 5 mails is used up; 7 wait",
        "UTC; run the same command again, or leave it running with `--wait`",
    ]);
    assert_eq!(sandbox.journal().len(), 5);
    let status = workspace.status();
    assert_eq!(
        (status.sent, status.pending, status.state.as_str()),
        (5, 7, "paused")
    );
    workspace.send(&[]).expect(75);
    assert_eq!(
        sandbox.journal().len(),
        5,
        "the same command sends nothing more today"
    );
}

#[test]
fn two_campaigns_share_the_quota_of_their_account() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&format!("{}rates = [\"5/day\"]", sandbox.account()), &people(3));
    workspace.campaign("other", "");
    workspace.send(&[]).expect(0);
    workspace
        .run(&["send", "other", "--yes"])
        .expect(75)
        .says(&["today's quota of 5 mails is used up; 1 waits"]);
    assert_eq!(sandbox.journal().len(), 5);
    assert_eq!(workspace.status_of("other").sent, 2);
}

#[test]
fn two_campaigns_at_once_share_the_quota_too() {
    let sandbox = Sandbox::start(&[]);
    let account = format!("{}rates = [\"20/day\"]\nconnections = 4", sandbox.account());
    let workspace = Workspace::new(&account, &people(30));
    workspace.campaign("other", "");
    let runs = [
        workspace.start_send(&[]),
        workspace.start(&["send", "other", "--yes"]),
    ];
    for run in runs {
        run.wait().expect(75);
    }
    assert_eq!(sandbox.journal().len(), 20);
}

#[test]
fn a_refused_mail_spends_quota_and_a_refused_login_does_not() {
    let sandbox = Sandbox::start(&[]);
    let list = ["fail@example.com", "a@example.com", "b@example.com"];
    let workspace = Workspace::new(&format!("{}rates = [\"2/day\"]", sandbox.account()), &list);
    workspace.send(&[]).expect(75);
    let status = workspace.status();
    assert_eq!((status.failed, status.sent, status.pending), (1, 1, 1));
}

#[test]
fn a_try_out_is_not_held_up_by_what_a_provider_counts() {
    let account = "provider = \"alimail\"\nusername = \"news@aurora-home.example\"\npassword_env = \"NONE\"";
    let workspace = Workspace::new(account, &people(60));
    workspace
        .run(&["send", "news", "--sandbox", "--yes"])
        .expect(0)
        .says(&["60 mails sent"]);
}
