//! A campaign is locked to what it was begun with, and to one run at a time.

use super::harness::{Sandbox, Workspace, people};

/// A campaign of ten of which four are sent.
fn begun() -> (Sandbox, Workspace) {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(10));
    workspace.send(&["--limit", "4"]).expect(75);
    (sandbox, workspace)
}

#[test]
fn an_edited_template_stops_the_campaign() {
    let (sandbox, workspace) = begun();
    workspace.write(
        "templates/body.html.hbs",
        "<p>Something else, {{name}}</p>{{{footer}}}",
    );
    let ended = workspace.send(&[]).expect(65);
    ended.says(&[
        "`news` has changed since it began",
        "template templates/body.html.hbs was edited",
        "nothing was sent",
    ]);
    assert_eq!(sandbox.journal().len(), 4);
    workspace.send(&["--accept-changes"]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 10]));
}

#[test]
fn an_edited_subject_stops_the_campaign() {
    let (sandbox, workspace) = begun();
    let text = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    workspace.write("campaigns/news.toml", &text.replace("News for", "Old news for"));
    workspace
        .send(&[])
        .expect(65)
        .says(&["subject was `News for {{name}}` and is `Old news for {{name}}`"]);
    assert_eq!(sandbox.journal().len(), 4);
}

#[test]
fn an_edited_list_stops_the_campaign_and_says_who_comes_and_goes() {
    let (sandbox, workspace) = begun();
    let mut list = people(13);
    list.remove(9);
    workspace.list(&list);
    workspace.send(&[]).expect(65).says(&[
        "list.csv was edited: 3 recipients new, 1 gone",
        "--accept-changes",
    ]);
    assert_eq!(sandbox.journal().len(), 4);
    assert_eq!(workspace.status().recipients, 10);
}

#[test]
fn accepted_changes_append_new_rows_leave_out_gone_ones_and_keep_what_was_sent() {
    let (sandbox, workspace) = begun();
    let mut list = people(12);
    list.remove(9); // p0010, still pending
    list.remove(0); // p0001, already sent
    workspace.list(&list);
    workspace.send(&["--accept-changes"]).expect(0);
    let arrived = sandbox.arrived();
    assert_eq!(arrived.len(), 11);
    assert!(arrived.values().all(|times| *times == 1), "{arrived:?}");
    assert!(arrived.contains_key("p0012@example.com") && !arrived.contains_key("p0010@example.com"));
    let status = workspace.status();
    assert_eq!((status.recipients, status.sent, status.suppressed), (12, 11, 1));
    // Accepted once, the changes are what the campaign is now.
    workspace.send(&[]).expect(0);
}

#[test]
fn a_row_that_comes_back_is_sent() {
    let (sandbox, workspace) = begun();
    workspace.list(&people(9));
    workspace.send(&["--accept-changes"]).expect(0);
    assert!(!sandbox.arrived().contains_key("p0010@example.com"));
    workspace.list(&people(10));
    workspace.send(&["--accept-changes"]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 10]));
    assert_eq!(workspace.status().sent, 10);
}

#[test]
fn rates_and_connections_may_change_in_the_middle() {
    let (sandbox, workspace) = begun();
    workspace.configure(
        &format!("{}connections = 2\nrates = [\"1000/hour\"]", sandbox.account()),
        "",
    );
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 10]));
}

#[test]
fn two_sends_at_once_are_one_send() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["slow@example.com", "a@example.com"]);
    let first = workspace.start_send(&[]);
    workspace.wait_until(1, "sending");
    let second = workspace.send(&[]).expect(75);
    second.says(&[
        "another run is sending `news`: process ",
        ", since ",
        "nothing was done",
    ]);
    assert_eq!(workspace.status().state, "running");
    first.wait().expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 2]));
}

#[test]
fn a_killed_run_does_not_hold_the_lock() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &["slow@example.com"]);
    let first = workspace.start_send(&[]);
    workspace.wait_until(1, "sending");
    first.kill();
    assert_eq!(workspace.status().state, "stopped");
    workspace
        .send(&[])
        .expect(76)
        .says(&["the last run was cut short: 1 delivery in doubt"]);
}
