//! Events in a table with a header: `email,type`, what consoles export (the delivery details of Alibaba Cloud among them), and
//! whatever has a column for the recipient and one for what happened.

use super::{Found, Raw, moment};
use crate::replies::Judge;

/// Headers of columns, without case, blanks and marks.
const ADDRESS: [&str; 14] = [
    "email",
    "emailaddress",
    "recipient",
    "recipientaddress",
    "to",
    "toaddress",
    "rcpt",
    "address",
    "mail",
    "收件人",
    "收件人地址",
    "收件地址",
    "邮箱",
    "邮箱地址",
];
const WHAT: [&str; 14] = [
    "type",
    "event",
    "eventtype",
    "kind",
    "status",
    "deliverystatus",
    "result",
    "bouncetype",
    "state",
    "状态",
    "投递状态",
    "发送状态",
    "投递结果",
    "事件",
];
const SAID: [&str; 14] = [
    "reason",
    "message",
    "error",
    "errormessage",
    "errormsg",
    "errmsg",
    "response",
    "diagnostic",
    "details",
    "description",
    "错误信息",
    "失败原因",
    "投递详情",
    "原因",
];
const ID: [&str; 5] = ["messageid", "msgid", "id", "envid", "邮件id"];
const AT: [&str; 11] = [
    "timestamp",
    "time",
    "date",
    "eventtime",
    "createdat",
    "lastupdatetime",
    "bouncedat",
    "时间",
    "发送时间",
    "投递时间",
    "更新时间",
];
/// What columns are parted by.
const DELIMITERS: [u8; 3] = [b',', b'\t', b';'];

pub(super) fn read(text: &str, judge: &Judge, found: &mut Found) {
    let head = text.lines().next().unwrap_or_default();
    let count = |delimiter: &u8| head.bytes().filter(|byte| byte == delimiter).count();
    let delimiter = DELIMITERS.into_iter().max_by_key(count).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let Ok(headers) = reader.headers().cloned() else {
        found.strange.push("1".to_owned());
        return;
    };
    let names: Vec<String> = headers.iter().map(bare).collect();
    let column = |known: &[&str]| {
        known
            .iter()
            .find_map(|name| names.iter().position(|own| own == name))
    };
    let (Some(address), Some(what)) = (column(&ADDRESS), column(&WHAT)) else {
        found.strange.push("1".to_owned());
        return;
    };
    let (said, id, at) = (column(&SAID), column(&ID), column(&AT));
    for row in reader.records() {
        let Ok(row) = row else {
            found.strange.push("?".to_owned());
            continue;
        };
        let place = row
            .position()
            .map_or_else(String::new, |place| place.line().to_string());
        let cell = |column: Option<usize>| {
            column
                .and_then(|column| row.get(column))
                .unwrap_or_default()
                .trim()
        };
        let raw = Raw {
            provider: "table",
            what: of_console(cell(Some(what))).to_owned(),
            address: cell(Some(address)).to_owned(),
            message_id: Some(cell(id).to_owned()).filter(|id| !id.is_empty()),
            at_ms: moment(cell(at)),
            said: cell(said).to_owned(),
            ..Raw::default()
        };
        found.take(raw, &place, judge);
    }
}

/// Numbers by which Alibaba Cloud's console says what became of a mail. Source: its API `SenderStatisticsDetailByParam`.
fn of_console(word: &str) -> &str {
    match word {
        "0" => "success",
        "2" => "invalid address",
        "3" => "垃圾邮件",
        "4" => "failed",
        other => other,
    }
}

/// A header without case, blanks and marks.
fn bare(header: &str) -> String {
    header
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
