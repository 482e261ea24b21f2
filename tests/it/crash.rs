//! `kill -9`: at random points of a run, and at each point that the table in `docs/states.md` names.

use std::collections::{BTreeMap, BTreeSet};

use super::harness::{Dice, Sandbox, Workspace, people, setting_or, wait_for};

/// What a series of kills came to.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    in_doubt: usize,
    in_doubt_max: usize,
    resent_twice: usize,
}

/// Sends to many, kills the program at random points, and looks at everyone after each kill and at the end.
fn kill_again_and_again(arguments: &[&str], flight: usize, seed: u64) -> Figures {
    const CONNECTIONS: usize = 4;
    let count = setting_or("MAILSHOT_KILL_RECIPIENTS", 600);
    let kills = setting_or("MAILSHOT_KILLS", 12);
    let sandbox = Sandbox::start(&[["--fault", "delay=2ms"].as_slice(), arguments].concat());
    let everyone = people(count);
    let workspace = Workspace::new(
        &format!("{}connections = {CONNECTIONS}", sandbox.account()),
        &everyone,
    );
    let mut dice = Dice(seed);
    let mut points: Vec<usize> = (0..kills).map(|_| dice.below(count)).collect();
    points.sort_unstable();

    let mut figures = Figures::default();
    for point in points {
        let mut running = workspace.start_send(&[]);
        let is_running = wait_for("the point to kill at", || {
            if running.has_ended() {
                return Some(false);
            }
            (sandbox.journal().len() >= point).then_some(true)
        });
        running.kill();
        if !is_running {
            continue;
        }
        figures.kills += 1;
        if workspace
            .ask("SELECT count(*) FROM campaign WHERE enrolled_at_ms IS NOT NULL")
            .unwrap_or(0)
            == 0
        {
            continue;
        }
        let status = workspace.status();
        assert_eq!(status.recipients, count, "{status:?}");
        let new = status.sending;
        assert!(
            new <= CONNECTIONS * flight,
            "{new} became doubtful by one kill: {status:?}"
        );
        figures.in_doubt += new;
        figures.in_doubt_max = figures.in_doubt_max.max(new);
        look_at_everyone(&workspace, &sandbox, &everyone);
    }
    let code = if figures.in_doubt == 0 { 0 } else { 76 };
    workspace.send(&[]).expect(code);
    let status = workspace.status();
    assert_eq!(
        (status.pending, status.sending, status.failed),
        (0, 0, 0),
        "{status:?}"
    );
    assert_eq!(status.in_doubt, figures.in_doubt, "{status:?}");
    look_at_everyone(&workspace, &sandbox, &everyone);
    let doubtful: BTreeSet<String> = workspace.in_state("in_doubt").into_iter().collect();

    workspace.run(&["resolve", "news", "--resend", "--yes"]).expect(0);
    workspace.send(&[]).expect(0);
    assert_eq!(workspace.status().sent, count);
    let arrived = sandbox.arrived();
    for address in &everyone {
        let times = arrived.get(address).copied().unwrap_or(0);
        assert!(
            times == 1 || (times == 2 && doubtful.contains(address)),
            "{address} arrived {times} times"
        );
    }
    figures.resent_twice = arrived.values().filter(|times| **times == 2).count();
    figures
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
    let figures = kill_again_and_again(&[], 2, 1);
    eprintln!("killed with pipelining: {figures:?}");
    assert!(figures.kills > 0);
}

#[test]
fn nobody_is_lost_or_mailed_twice_without_pipelining_either() {
    let figures = kill_again_and_again(&["--without", "pipelining"], 1, 2);
    eprintln!("killed without pipelining: {figures:?}");
    assert!(figures.kills > 0);
}
