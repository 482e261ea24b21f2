//! `kill -9`: at random points of a run, and at each point that the table in `docs/states.md` names.

use std::collections::{BTreeMap, BTreeSet};

use super::harness::{Dice, Sandbox, Workspace, people, setting_or, wait_for};

/// What a series of kills came to.
#[derive(Debug, Default)]
struct Figures {
    recipients: usize,
    kills: usize,
    in_doubt: usize,
    in_doubt_max: usize,
    arrived_twice_by_resend: usize,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} recipients, {} kills, ", self.recipients, self.kills)?;
        write!(
            f,
            "{} in doubt in all, at most {} by one kill, ",
            self.in_doubt, self.in_doubt_max
        )?;
        write!(
            f,
            "nobody twice and nobody missing; {} twice by the resend",
            self.arrived_twice_by_resend
        )
    }
}

const CONNECTIONS: usize = 4;

/// Sends to many, kills the program at random points, and looks at everyone after each kill and at the end.
fn kill_again_and_again(arguments: &[&str], flight: usize, seed: u64) -> Figures {
    let count = setting_or("MAILSHOT_KILL_RECIPIENTS", 600);
    let kills = setting_or("MAILSHOT_KILLS", 12);
    let sandbox = Sandbox::start(&[["--fault", "delay=2ms"].as_slice(), arguments].concat());
    let everyone = people(count);
    let workspace = Workspace::new(
        &format!("{}connections = {CONNECTIONS}", sandbox.account()),
        &everyone,
    );
    let mut dice = Dice(seed);
    // Not quite to the end: the program runs on for a moment before it is killed, and must not be done by then.
    let mut points: Vec<usize> = (0..kills).map(|_| dice.below(count - count / 8)).collect();
    points.sort_unstable();

    let mut figures = Figures {
        recipients: count,
        ..Figures::default()
    };
    for point in points {
        if !kill_at(&workspace, &sandbox, point) {
            continue;
        }
        figures.kills += 1;
        let is_enrolled = workspace
            .ask("SELECT 1 FROM campaign WHERE enrolled_at_ms IS NOT NULL")
            .is_some();
        if !is_enrolled {
            continue;
        }
        let status = workspace.status();
        assert_eq!(status.recipients, count, "{status:?}");
        // A run that was killed before it looked around has left those of the run before where they were.
        let new = status.sending + status.in_doubt - figures.in_doubt;
        assert!(
            new <= CONNECTIONS * flight,
            "{new} became doubtful by one kill: {status:?}"
        );
        figures.in_doubt += new;
        figures.in_doubt_max = figures.in_doubt_max.max(new);
        look_at_everyone(&workspace, &sandbox, &everyone);
    }
    workspace
        .send(&[])
        .expect(if figures.in_doubt == 0 { 0 } else { 76 });
    let status = workspace.status();
    assert_eq!(
        (status.pending, status.sending, status.failed),
        (0, 0, 0),
        "{status:?}"
    );
    assert_eq!(status.in_doubt, figures.in_doubt, "{status:?}");
    look_at_everyone(&workspace, &sandbox, &everyone);
    figures.arrived_twice_by_resend = resend_and_look_again(&workspace, &sandbox, &everyone);
    figures
}

/// Starts a run and kills it when the server has taken so many mails; no, when the run was over before.
fn kill_at(workspace: &Workspace, sandbox: &Sandbox, point: usize) -> bool {
    let mut running = workspace.start_send(&[]);
    let is_running = wait_for("the point to kill at", || {
        if running.has_ended() {
            return Some(false);
        }
        (sandbox.journal_lines() >= point).then_some(true)
    });
    running.kill();
    is_running
}

/// Resends what is in doubt; then everyone has it, and only those twice that were in doubt. Says how many those are.
fn resend_and_look_again(workspace: &Workspace, sandbox: &Sandbox, everyone: &[String]) -> usize {
    let doubtful: BTreeSet<String> = workspace.in_state("in_doubt").into_iter().collect();
    workspace.run(&["resolve", "news", "--resend", "--yes"]).expect(0);
    workspace.send(&[]).expect(0);
    assert_eq!(workspace.status().sent, everyone.len());
    let arrived = sandbox.arrived();
    for address in everyone {
        let times = arrived.get(address).copied().unwrap_or(0);
        assert!(
            times == 1 || (times == 2 && doubtful.contains(address)),
            "{address} arrived {times} times"
        );
    }
    arrived.values().filter(|times| **times == 2).count()
}

/// Nobody twice, nobody missing except those in doubt, nobody counted as sent who got nothing.
fn look_at_everyone(workspace: &Workspace, sandbox: &Sandbox, everyone: &[String]) {
    let arrived: BTreeMap<String, usize> = sandbox.arrived();
    let twice: Vec<_> = arrived.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "arrived twice: {twice:?}");
    let deliveries = workspace.deliveries();
    for address in everyone {
        let has_arrived = arrived.contains_key(address);
        match deliveries.get(address).map(|delivery| delivery.state.as_str()) {
            Some("sent") => assert!(has_arrived, "{address} counts as sent and got nothing"),
            Some("pending") => assert!(!has_arrived, "{address} got it and would get it again"),
            Some("sending" | "in_doubt") => {}
            other => panic!("{address} is {other:?}"),
        }
    }
}

#[test]
fn nobody_is_lost_or_mailed_twice_however_often_the_program_is_killed() {
    let figures = kill_again_and_again(&[], 16, 1);
    eprintln!("with chunking: {figures}");
    assert!(figures.kills > 0);
}

#[test]
fn nobody_is_lost_or_mailed_twice_with_pipelining_alone() {
    let figures = kill_again_and_again(&["--without", "chunking"], 4, 3);
    eprintln!("with pipelining: {figures}");
    assert!(figures.kills > 0);
}

#[test]
fn nobody_is_lost_or_mailed_twice_without_pipelining_either() {
    let figures = kill_again_and_again(&["--without", "pipelining"], 1, 2);
    eprintln!("without pipelining: {figures}");
    assert!(figures.kills > 0);
}

// The table "killed": what is on disk, and what resuming does.

#[test]
fn killed_while_checking_or_enrolling_it_enrols_again_and_sends_once() {
    let sandbox = Sandbox::start(&[]);
    let everyone = people(9_000);
    let workspace = Workspace::new(&format!("{}connections = 4", sandbox.account()), &everyone);
    // At the first sign of each: the copy of the list, the campaign's row, the first batch of people.
    let signs = [
        None,
        Some("SELECT 1 FROM campaign"),
        Some("SELECT 1 FROM delivery LIMIT 1"),
    ];
    for sign in signs {
        let mut running = workspace.start_send(&["--limit", "0"]);
        wait_for("a sign of the enrolment", || match sign {
            _ if running.has_ended() => Some(()),
            None => workspace.path(".mailshot/lists").exists().then_some(()),
            Some(sql) => workspace.ask(sql).map(drop),
        });
        running.kill();
        let enrolled = workspace.ask("SELECT count(*) FROM delivery").unwrap_or(0);
        assert!([0, 5_000, 9_000].contains(&enrolled), "whole batches: {enrolled}");
        assert_eq!(
            workspace
                .ask("SELECT count(*) FROM delivery WHERE state <> 'pending'")
                .unwrap_or(0),
            0
        );
    }
    workspace.send(&["--limit", "50"]).expect(75);
    let status = workspace.status();
    assert_eq!((status.recipients, status.sent), (9_000, 50));
    assert!(sandbox.arrived().into_values().eq([1; 50]));
}

#[test]
fn killed_before_the_intent_nothing_is_in_doubt() {
    // A server that never says a word: every worker waits for its greeting, before any intent.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let workspace = Workspace::new(
        &format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none\""),
        &people(5),
    );
    let running = workspace.start_send(&[]);
    let connection = listener.accept().unwrap();
    running.kill();
    drop(connection);
    assert_eq!(workspace.status().pending, 5);
    let sandbox = Sandbox::start(&[]);
    workspace.configure(&sandbox.account(), "");
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 5]));
}

#[test]
fn killed_between_two_mails_of_a_paced_run_nothing_is_in_doubt() {
    let sandbox = Sandbox::start(&[]);
    let account = sandbox.account();
    let workspace = Workspace::new(&format!("{account}rates = [\"1/min\"]"), &people(3));
    let running = workspace.start_send(&[]);
    workspace.wait_until(1, "sent");
    running.kill();
    let status = workspace.status();
    assert_eq!((status.sent, status.pending, status.sending), (1, 2, 0));
    workspace.configure(&account, "");
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 3]));
}

#[test]
fn killed_after_the_intent_and_before_the_end_of_data_the_delivery_is_in_doubt() {
    // The server answers a group of commands only after a while: the intent is on disk, the mail has not left.
    let sandbox = Sandbox::start(&["--fault", "delay=1s", "--without", "chunking"]);
    let workspace = Workspace::new(&sandbox.account(), &["anna@example.com"]);
    let running = workspace.start_send(&[]);
    workspace.wait_until(1, "sending");
    running.kill();
    assert_eq!(workspace.status().sending, 1);
    workspace.send(&[]).expect(76).says(&[
        "the last run was cut short: 1 delivery in doubt",
        "anna@example.com",
    ]);
    assert_eq!(workspace.in_state("in_doubt"), ["anna@example.com"]);
    assert!(
        sandbox.journal().is_empty(),
        "held, although it never arrived: nobody can know"
    );
}

#[test]
fn a_crash_after_the_end_of_data_leaves_the_delivery_in_doubt() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["slow@example.com", "anna@example.com"]);
    let running = workspace.start_send(&[]);
    // The server has it, and is slow to say so.
    wait_for("the mail to be kept", || {
        (!sandbox.journal().is_empty()).then_some(())
    });
    running.kill();
    workspace.send(&[]).expect(76);
    assert!(
        workspace
            .in_state("in_doubt")
            .contains(&"slow@example.com".to_owned())
    );
    assert_eq!(sandbox.arrived()["slow@example.com"], 1);
}

#[test]
fn killed_after_the_result_it_is_not_sent_again() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["anna@example.com", "slow@example.com"]);
    let running = workspace.start_send(&[]);
    workspace.wait_until(1, "sent");
    running.kill();
    workspace
        .run(&["resolve", "news", "--assume-sent", "--yes"])
        .expect(0);
    drop(workspace.send(&[]));
    assert_eq!(sandbox.arrived()["anna@example.com"], 1);
}

// Signals: the polite way.

#[test]
fn sigterm_finishes_what_is_in_flight_and_the_same_command_goes_on() {
    let sandbox = Sandbox::start(&["--fault", "delay=5ms"]);
    let workspace = Workspace::new(&format!("{}connections = 4", sandbox.account()), &people(300));
    let running = workspace.start_send(&[]);
    wait_for("some mails", || (sandbox.journal().len() > 50).then_some(()));
    running.terminate();
    running
        .wait()
        .expect(75)
        .says(&["as you asked", "run the same command again"]);
    let status = workspace.status();
    assert_eq!(
        (status.in_doubt, status.sending, status.failed),
        (0, 0, 0),
        "{status:?}"
    );
    assert!(status.pending > 0, "it was in the middle: {status:?}");
    assert_eq!(status.sent, sandbox.journal().len());
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 300]));
}

#[test]
fn ctrl_c_ends_with_130() {
    let sandbox = Sandbox::start(&["--fault", "delay=5ms"]);
    let workspace = Workspace::new(&sandbox.account(), &people(300));
    let running = workspace.start_send(&[]);
    wait_for("some mails", || (sandbox.journal().len() > 5).then_some(()));
    running.interrupt();
    running.wait().expect(130);
    assert_eq!(workspace.status().in_doubt, 0);
}

#[test]
fn a_second_signal_stops_at_once_and_says_how_many_are_in_doubt() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(
        &sandbox.account(),
        &["slow@example.com", "slow-2@example.com", "a@example.com"],
    );
    let running = workspace.start_send(&[]);
    wait_for("the first mail to be kept", || {
        (!sandbox.journal().is_empty()).then_some(())
    });
    running.terminate();
    wait_for("the first word", || {
        running
            .stderr()
            .contains("stopping: what is in flight")
            .then_some(())
    });
    running.terminate();
    let ended = running.wait().expect(75);
    let status = workspace.status();
    assert!((1..=2).contains(&status.in_doubt), "{status:?}");
    let became = if status.in_doubt == 1 {
        "1 delivery became"
    } else {
        "2 deliveries became"
    };
    ended.says(&["stopping at once", became]);
    assert_eq!(status.sending, 0);
}
