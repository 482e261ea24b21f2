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
fn an_edited_attachment_stops_the_campaign() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(3));
    workspace.write("terms.txt", "old");
    workspace.campaign("news", "attachment = \"terms.txt\"");
    workspace.send(&["--limit", "1"]).expect(75);
    workspace.write("terms.txt", "new");
    workspace
        .send(&[])
        .expect(65)
        .says(&["file terms.txt was edited"]);
    workspace.send(&["--accept-changes"]).expect(0);
    assert_eq!(sandbox.journal().len(), 3);
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
fn whoever_is_not_meant_any_longer_is_not_mailed() {
    let (sandbox, workspace) = begun();
    workspace.write("lists/vip.csv", "email\np0009@example.com\n");
    workspace.campaign(
        "news",
        "where = \"email <> 'p0010@example.com'\"\nexclude = [\"lists/vip.csv\"]",
    );
    workspace.send(&["--accept-changes"]).expect(0);
    let arrived = sandbox.arrived();
    assert_eq!(arrived.len(), 8, "{arrived:?}");
    assert!(!arrived.contains_key("p0009@example.com") && !arrived.contains_key("p0010@example.com"));
    let status = workspace.status();
    assert_eq!((status.recipients, status.sent, status.suppressed), (10, 8, 2));
    // Back again when they are meant again.
    workspace.campaign("news", "");
    workspace.send(&["--accept-changes"]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 10]));
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

#[test]
fn an_enrolment_that_was_cut_short_and_undone_forgets_nobody() {
    let (sandbox, workspace) = begun();
    // As a run leaves it that was killed half-way through --accept-changes.
    let ledger = rusqlite::Connection::open(workspace.path(".mailshot/ledger.db")).unwrap();
    ledger
        .execute_batch(
            "UPDATE campaign SET inputs = json_set(inputs, '$.is_under_way', json('true'));
             INSERT INTO list (digest, path) VALUES ('the fresh list', 'lists/list.csv');
             UPDATE delivery SET list_id = 2 WHERE id IN (7, 8);",
        )
        .unwrap();
    drop(ledger);
    workspace.send(&[]).expect(0);
    assert!(sandbox.arrived().into_values().eq([1; 10]));
    assert_eq!(workspace.status().suppressed, 0);
}

#[test]
fn a_run_killed_while_it_takes_over_a_changed_list_goes_on_with_the_old_one() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(30_000));
    workspace.send(&["--limit", "1"]).expect(75);
    workspace.list(&people(30_001));
    let running = workspace.start_send(&["--accept-changes", "--limit", "1"]);
    super::harness::wait_for("the first rows of the fresh list", || {
        (workspace.ask("SELECT count(DISTINCT list_id) FROM delivery") == Some(2)).then_some(())
    });
    running.kill();
    workspace.list(&people(30_000));
    workspace.send(&["--limit", "1"]).expect(75);
    assert_eq!(workspace.status().suppressed, 0);
}

#[test]
fn an_address_spelled_otherwise_is_still_the_same_person() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(
        &sandbox.account(),
        &["a@example.com", "Li@example.com", "Wu@example.com"],
    );
    workspace.send(&["--limit", "1"]).expect(75);
    workspace.list(&["a@example.com", "li@example.com", "wu@example.com"]);
    workspace.send(&["--accept-changes"]).expect(0);
    let arrived = sandbox.arrived();
    assert_eq!(arrived.len(), 3, "{arrived:?}");
    assert!(arrived.contains_key("li@example.com"));
}

#[test]
fn a_name_that_leads_out_of_its_folder_is_no_name() {
    let workspace = Workspace::new("host = \"127.0.0.1\"\n", &people(1));
    let text = std::fs::read_to_string(workspace.path("campaigns/news.toml")).unwrap();
    workspace.write("campaigns/news.toml", &format!("name = \"..\"\n{text}"));
    workspace
        .send(&["--dry-run"])
        .expect(65)
        .says(&["begins with a letter or digit"]);
}
