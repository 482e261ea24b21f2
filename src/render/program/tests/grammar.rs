//! Templates and rows to try programs with: mostly what people write, with odd things here and there.

use proptest::prelude::*;

/// Where a piece of a template stands: what is there by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    Root,
    Element,
}

fn pick(from: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    prop::sample::select(from.to_vec()).prop_map(str::to_owned)
}

/// A path that leads somewhere, mostly.
fn path(around: Around) -> BoxedStrategy<String> {
    let of_row = [
        "@root/name",
        "@root.num",
        "@root.empty",
        "@root.[First Name]",
        "@root.who",
        "@root.list.0",
        "@root/json.x",
    ];
    let anywhere = [
        "date",
        "number",
        "@root.first_name",
        "@root/email",
        "@root/postal_address",
    ];
    let at_root = [
        "name",
        "num",
        "empty",
        "[First Name]",
        "first_name",
        "email",
        "list",
        "who",
        "./name",
        "campaign",
        "../name",
    ];
    let in_element = [
        "this", "this", "@index", "@first", "@last", "el", "x", "this.x", "key",
    ];
    let here = match around {
        Around::Root => pick(&at_root),
        Around::Element => pick(&in_element),
    };
    prop_oneof![6 => here, 2 => pick(&of_row), 2 => pick(&anywhere), 1 => wild_path()].boxed()
}

/// A path that leads anywhere or nowhere.
fn wild_path() -> impl Strategy<Value = String> {
    let names = [
        "name",
        "empty",
        "num",
        "list",
        "who",
        "json",
        "missing",
        "x",
        "y",
        "a",
        "el",
        "key",
        "label",
        "0",
        "email",
        "date",
        "number",
        "[First Name]",
        "first_name",
        "this",
        "campaign",
    ];
    let starts = [
        "",
        "",
        "",
        "this.",
        "./",
        "../",
        "../../",
        "../../../",
        "@root/",
        "@root.",
        "@../",
    ];
    let ends = [
        "", "", "", "", ".x", ".y", ".0", ".[1]", "/a", ".this", ".x.y", ".length",
    ];
    let local = [
        "@index",
        "@first",
        "@last",
        "@key",
        "@../index",
        "@../../key",
        "@../first",
        "@other",
    ];
    let parts = (pick(&starts), pick(&names), pick(&ends));
    prop_oneof![
        3 => parts.prop_map(|(start, name, end)| format!("{start}{name}{end}")),
        1 => pick(&local),
    ]
}

fn argument(around: Around) -> BoxedStrategy<String> {
    let literals = [
        "\"x\"",
        "'it\"s'",
        "\"\"",
        "1",
        "0",
        "-2.5",
        "3.0",
        "true",
        "false",
        "null",
        "[1,\"b\"]",
        "{\"x\":2}",
        "\"12\"",
        "9007199254740993",
        "1E30",
    ];
    let leaf = prop_oneof![4 => path(around), 2 => pick(&literals)];
    leaf.prop_recursive(2, 6, 3, move |inner| {
        let one = (pick(&["upper", "lower", "plain", "urlencode", "not", "len"]), inner.clone());
        let helpers = ["default", "default", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or"];
        let two = (pick(&helpers), inner.clone(), inner);
        prop_oneof![
            4 => one.prop_map(|(name, a)| format!("({name} {a})")),
            6 => two.prop_map(|(name, a, b)| format!("({name} {a} {b})")),
            1 => pick(&[
                "(number)", "(number @root.num 2)", "(number 1234.5)", "(date \"2026-3-5\" \"%d %B\")", "(date @root.num)",
                "(lookup @root.who \"x\")", "(lookup @root.list 0)", "(lookup @root.json @index)",
            ]),
        ]
    })
    .boxed()
}

/// `{{…}}` with `~` here and there.
fn tag(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let tilde = || pick(&["", "", "", "~"]);
    (tilde(), inner, tilde()).prop_map(|(before, inner, after)| format!("{{{{{before}{inner}{after}}}}}"))
}

fn call(around: Around) -> impl Strategy<Value = String> {
    // What stands in brackets as an argument stands bare as a call.
    let bare = |argument: String| match argument.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(call) => call.to_owned(),
        None => format!("upper {argument}"),
    };
    let helper = argument(around).prop_map(bare).boxed();
    prop_oneof![
        tag(path(around)),
        tag(helper.clone()),
        path(around).prop_map(|path| format!("{{{{{{{path}}}}}}}")),
        path(around).prop_map(|path| format!("{{{{&{path}}}}}")),
        helper.prop_map(|call| format!("{{{{{{{call}}}}}}}")),
    ]
}

fn text() -> impl Strategy<Value = String> {
    pick(&[
        "a",
        " ",
        "\n",
        "  \n",
        "\n  ",
        "\r\n",
        "<p title='&'>",
        "é\u{1f331}",
        "\\{{x}}",
        "\\\\",
        "{{! note }}",
        "{{!-- }} --}}",
        "\r",
        "\n\n",
    ])
}

fn partial(around: Around) -> impl Strategy<Value = String> {
    let hash = pick(&[
        "",
        "",
        " label=@root.name",
        " label=missing x=\"<\"",
        " el=this",
        " x=@index",
        " label=(upper @root.num) who=@root.list",
    ]);
    let base =
        prop_oneof![4 => Just(String::new()), 1 => argument(around).prop_map(|base| format!(" {base}"))];
    // One in many is not there, or calls itself.
    let name = prop_oneof![20 => pick(&["one", "two"]), 1 => pick(&["@main", "three"])];
    tag((name, base, hash).prop_map(|(name, base, hash)| format!("> {name}{base}{hash}")))
}

fn body(depth: u32, around: Around) -> BoxedStrategy<String> {
    let leaf = prop_oneof![4 => text(), 4 => call(around), 1 => partial(around)];
    let piece = if depth == 0 {
        leaf.boxed()
    } else {
        prop_oneof![3 => leaf, 1 => block(depth, around)].boxed()
    };
    prop::collection::vec(piece, 0..4)
        .prop_map(|pieces| pieces.concat())
        .boxed()
}

fn block(depth: u32, around: Around) -> impl Strategy<Value = String> {
    let line_end = || pick(&["", "", "\n", " \n", "\r\n"]);
    let params = pick(&["", "", " as |el|", " as |el key|", " as |x name|"]);
    let condition = (
        pick(&["if", "if", "unless"]),
        argument(around),
        Just(String::new()),
        body(depth - 1, around),
    );
    let many = [
        "@root.list",
        "@root.list",
        "@root.json",
        "@root.who",
        "this",
        "x",
        "@root.missing",
    ];
    let list = prop_oneof![4 => pick(&many), 1 => argument(around)];
    let scope = (
        pick(&["each", "each", "with"]),
        list,
        params,
        body(depth - 1, Around::Element),
    );
    let head = prop_oneof![condition, scope];
    let chain = (
        pick(&["if", "if", "each"]),
        argument(around),
        body(depth - 1, around),
    );
    let otherwise = (
        pick(&["{{else}}", "{{^}}", "{{~else~}}"]),
        body(depth - 1, around),
    );
    let parts = (
        head,
        prop::option::weighted(0.2, chain),
        prop::option::weighted(0.6, otherwise),
        [line_end(), line_end(), line_end()],
    );
    parts.prop_map(
        |((block, argument, params, first), chain, otherwise, [one, two, three])| {
            let chain =
                chain.map(|(name, argument, body)| format!("{{{{else {name} {argument}}}}}{two}{body}"));
            let otherwise = otherwise.map(|(tag, body)| format!("{tag}{two}{body}"));
            let (chain, otherwise) = (chain.unwrap_or_default(), otherwise.unwrap_or_default());
            format!(
                "{{{{#{block} {argument}{params}}}}}{one}{first}{chain}{otherwise}{{{{/{block}}}}}{three}"
            )
        },
    )
}

/// A template and its two partials.
pub(super) fn templates() -> impl Strategy<Value = Vec<String>> {
    let (main, one, two) = (body(3, Around::Root), body(1, Around::Element), text());
    let two = (two, call(Around::Root))
        .prop_map(|(text, call)| format!("{text}{{{{default label 'none'}}}}{call}"));
    (main, one, two)
        .prop_map(|(main, one, two)| vec![main, one.replace("> one", "> two"), two.replace("> one", "> two")])
}

fn json() -> impl Strategy<Value = String> {
    let leaves = [
        "null",
        "true",
        "false",
        "0",
        "1",
        "-3",
        "4.5",
        "1e3",
        "18446744073709551615",
        "-0.0",
        "\"\"",
        "\"b\"",
        "\"<i>\"",
        "\"a\\nb\"",
        "\"\\u00e9\\\"\"",
        "\"12\"",
        "\"2026-01-02\"",
        "[]",
        "{}",
    ];
    let leaf = prop::sample::select(leaves.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(3, 16, 4, |inner| {
        let keys = [
            "x",
            "y",
            "a",
            "name",
            "label",
            "el",
            "0",
            "1",
            "who",
            "date",
            "k\\\"",
            "First Name",
        ];
        let entry = (prop::sample::select(keys.to_vec()), inner.clone())
            .prop_map(|(key, value)| format!("\"{key}\" : {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
            prop::collection::vec(entry, 0..5).prop_map(|entries| format!("{{{}}}", entries.join(","))),
        ]
    })
}

/// The cells of a row, all but the first.
pub(super) fn cells() -> impl Strategy<Value = Vec<String>> {
    let odd = [
        "",
        " ",
        "Li",
        "<b>'\"&</b>",
        "a\r\nb\rc\n",
        "{{email}}",
        "12",
        "0",
        "4.50",
        "-1234567.895",
        "2026-03-05",
        "2026/3/5",
        "é ß Σ",
    ];
    let plain =
        || prop_oneof![4 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    let structure = || prop_oneof![12 => json(), 2 => Just(String::new()), 1 => Just("{\"a\"".to_owned())];
    (
        plain(),
        plain(),
        [structure(), structure(), structure()],
        plain(),
        plain(),
    )
        .prop_map(|(name, num, [list, who, json], number, first)| {
            vec![name, String::new(), num, list, who, json, number, first]
        })
}
