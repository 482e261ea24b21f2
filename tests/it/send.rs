//! Sending when all goes well: what arrives, what is said, what is on record.

use std::collections::BTreeSet;

use serde_json::Value;

use super::harness::{Sandbox, Workspace, people};

#[test]
fn everyone_on_the_list_gets_one_mail() {
    let sandbox = Sandbox::start(&[]);
    let workspace = Workspace::new(&sandbox.account(), &people(50));
    workspace.send(&[]).expect(0).says(&["done: 50 mails sent"]);
    assert!(sandbox.arrived().into_values().eq([1; 50]));
    let status = workspace.status();
    assert_eq!(
        (status.recipients, status.sent, status.state.as_str()),
        (50, 50, "finished")
    );
}
