//! Programs are held against Handlebars: templates from a grammar, rows with odd cells, the same text or no text.

mod grammar;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use grammar::{cells, templates};

use crate::campaign::Problem;
use crate::mail::{Address, Columns, Place, Recipient};
use crate::render::engine::{Engine, Prepared};
use crate::render::source::Source;
use crate::render::variables::Variables;
use crate::render::writer::Lines;
use crate::render::{Flavour, Given};
use crate::words::Text;

/// The columns of the list: text, JSON, and names that helpers have as well.
const COLUMNS: [&str; 9] = [
    "email",
    "name",
    "empty",
    "num",
    "list",
    "who",
    "json",
    "number",
    "First Name",
];
/// Those that hold JSON.
const STRUCTURED: [usize; 3] = [4, 5, 6];

/// What became of one template and one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The template is none for Handlebars either.
    NoTemplate,
    /// It has no program.
    Handlebars,
    /// The program left it to Handlebars, which had a text.
    Left,
    /// Both had nothing.
    Error,
    /// The program rendered it.
    Program,
}

/// Renders both ways; what differs is the error.
fn compare(flavour: Flavour, templates: &[String], cells: &[String]) -> Result<Way, String> {
    let columns = Columns {
        names: COLUMNS.map(|name| name.to_lowercase().replace(' ', "_")).to_vec(),
        headers: COLUMNS.map(str::to_owned).to_vec(),
        email: 0,
    };
    let structured: BTreeMap<usize, Problem> = STRUCTURED
        .into_iter()
        .map(|column| (column, Problem::with_file(Path::new("t"), Text::default())))
        .collect();
    let variables = Variables::new(&columns, &BTreeSet::from([8]), structured);
    let mut engine = Engine::new(flavour);
    for (name, text) in ["@main", "one", "two"].into_iter().zip(templates) {
        let source = Source::new(Path::new(name), text);
        if engine
            .add(name.to_owned(), &source, Prepared::new(text.clone()))
            .is_err()
        {
            return Ok(Way::NoTemplate);
        }
    }
    let recipient = Recipient {
        address: Address::parse("li@example.com").unwrap(),
        place: Place {
            line: 2,
            offset: 0,
            length: 0,
        },
        values: std::iter::once("li@example.com")
            .chain(cells.iter().map(String::as_str))
            .collect(),
    };
    let given = Given {
        unsubscribe_url: "https://u.example/?a=1&b=2",
        postal_address: "1 Road,\r\n<Town>",
        campaign: "spring",
        date: "2026-11-23",
    };
    let Ok(program) = engine.program("@main", &variables) else {
        return Ok(Way::Handlebars);
    };
    let context = variables.context(&recipient, &given);
    let expected = context.and_then(|context| engine.render("@main", &context));
    let row = variables.row(&recipient, &given);
    let render = |lines| row.as_ref().ok().and_then(|row| program.run(row, lines).ok());
    let written = render(Lines::AsWritten);
    let canonical = written
        .as_ref()
        .map(|text| text.replace('\r', "").replace('\n', "\r\n"));
    if render(Lines::Canonical) != canonical {
        return Err(format!(
            "canonical: {:?}, not {canonical:?}",
            render(Lines::Canonical)
        ));
    }
    match (written, expected) {
        (Some(text), Ok(expected)) if text == expected => Ok(Way::Program),
        (Some(text), expected) => Err(format!("{text:?}, not {expected:?}")),
        (None, Ok(_)) => Ok(Way::Left),
        (None, Err(_)) => Ok(Way::Error),
    }
}

/// How many of these many cases went which way.
fn ways(cases: u32) -> BTreeMap<String, u32> {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let counts = Cell::new(BTreeMap::new());
    let flavours = prop::sample::select(vec![Flavour::Html, Flavour::Text]);
    let outcome = TestRunner::new(config).run(
        &(flavours, templates(), cells()),
        |(flavour, templates, cells)| {
            let way = compare(flavour, &templates, &cells).map_err(TestCaseError::fail)?;
            let mut known = counts.take();
            *known.entry(format!("{way:?}")).or_insert(0) += 1;
            counts.set(known);
            Ok(())
        },
    );
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    counts.take()
}

#[test]
fn a_program_gives_what_handlebars_gives_or_nothing() {
    // Twice as many as for other properties: there is much to combine.
    let cases = ProptestConfig::default().cases * 2;
    let ways = ways(cases);
    // Else the rest would prove nothing.
    assert!(
        ways.get("Program").is_some_and(|count| *count > cases / 3),
        "{ways:?}"
    );
}

fn way(template: &str, partial: &str) -> Way {
    let cells = ["Li", "", "12", "[1]", "{\"x\":{\"y\":2}}", "", "7", "Li"].map(str::to_owned);
    compare(Flavour::Html, &[template.to_owned(), partial.to_owned()], &cells).unwrap()
}

#[test]
fn what_people_write_is_rendered_by_programs() {
    for template in [
        "{{name}} {{{name}}} {{&name}} {{[First Name]}} {{first_name}} {{number}} {{date}}",
        "{{#if name}}a{{else if (eq num \"12\")}}b{{else}}c{{/if}}{{#unless empty}}d{{/unless}}",
        "{{#each list as |n i|}}{{n}}{{i}}{{@index}}{{@first}}{{@last}}{{../name}}{{@root.name}}{{else}}none{{/each}}",
        "{{#each who}}{{@key}}{{#with this as |w|}}{{w.y}}{{y}}{{@key}}{{../../num}}{{/with}}{{/each}}",
        "{{who.x.y}} {{list.[0]}} {{lookup who \"x\"}} {{len list}}",
        "{{default empty name}} {{upper (default empty \"x\")}} {{number num 2}} {{date \"2026-01-02\" \"%d.%m.\"}}",
        "{{> one}} {{> one label=name}} {{> one who}} {{> one who label=\"x\"}} {{#each list}}{{> one}}{{/each}}",
        "{{#if (and name (or empty (not empty)) (gt 3 2) (lte num \"12\"))}}yes{{/if}}",
        "a {{~name~}} b {{! note }}\n{{!-- note --}}\n \\{{name}}",
    ] {
        assert_eq!(
            way(template, "{{default label @root.name}}"),
            Way::Program,
            "{template}"
        );
    }
}

#[test]
fn what_is_rare_stays_with_handlebars() {
    for (template, expected) in [
        ("{{#> one}}block{{/one}}", Way::Handlebars),
        ("{{#*inline \"x\"}}y{{/inline}}{{> x}}", Way::Handlebars),
        ("{{#if num includeZero=true}}x{{/if}}", Way::Handlebars),
        ("{{this}}", Way::Handlebars),
        ("{{#each list}}{{> one label=1}}{{/each}}", Way::Left),
        ("{{gt 5000000000 \"1.5\"}}", Way::Left),
    ] {
        assert_eq!(way(template, "p"), expected, "{template}");
    }
}
