//! Any text as a condition on the rows of a list.

#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mailshot::campaign::list::Said;
use mailshot::campaign::{ListSettings, Problem};
use mailshot::source::List;
use mailshot::words::Text;

static LIST: OnceLock<PathBuf> = OnceLock::new();

fuzz_target!(|text: &str| {
    let path = LIST.get_or_init(|| {
        let path = PathBuf::from(format!("/dev/shm/mailshot-fuzz-{}.csv", std::process::id()));
        let rows = "email,country,total spent,姓名\na@example.com,DE,\"1,234.50\",张三\nb@example.com,,,\nc@example.com,FR,x,Ä\n";
        std::fs::write(&path, rows).expect("written");
        path
    });
    let settings = ListSettings {
        filter: Some(Said {
            text: text.to_owned(),
            at: Problem::at(path, 1, 1, Text::default()),
        }),
        ..ListSettings::default()
    };
    match List::open(path, &settings) {
        Ok(list) => assert_eq!(list.rows().expect("streamed").flatten().count(), 3),
        Err(problems) => assert!(!problems.kept.iter().any(|problem| problem.what.is_empty())),
    }
});
