//! Events as the documentation of providers shows them, with people who are made up.

use super::*;

fn told(text: &str) -> Vec<String> {
    let found = read(text, &Judge::default());
    assert_eq!(found.strange, Vec::<String>::new(), "{text}");
    let line = |event: &Event| {
        let severity = event.severity.map_or("-", Severity::name);
        format!("{} {} {severity} {}", event.provider, event.kind, event.address)
    };
    found.events.iter().map(line).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_provider_is_understood_in_its_own_form() {
    for (text, expected) in [
        (
            r#"{"eventType":"Bounce","mail":{"messageId":"0100","headers":[{"name":"Message-ID","value":"<a@b>"}]},
                "bounce":{"feedbackId":"f1","bounceType":"Permanent","timestamp":"2026-11-24T10:00:00.000Z",
                "bouncedRecipients":[{"emailAddress":"li@example.com","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}}"#,
            vec!["ses bounce hard li@example.com"],
        ),
        (
            r#"{"Type":"Notification","TopicArn":"arn:x","Message":"{\"notificationType\":\"Complaint\",\"mail\":{\"messageId\":\"1\"},\"complaint\":{\"feedbackId\":\"f2\",\"complainedRecipients\":[{\"emailAddress\":\"li@example.com\"}]}}"}"#,
            vec!["ses complaint - li@example.com"],
        ),
        (
            r#"[{"email":"li@example.com","event":"bounce","type":"bounce","reason":"550 5.1.1 no such user","status":"5.1.1","timestamp":1764000000,"sg_event_id":"e1"},
                {"email":"wu@example.com","event":"bounce","type":"blocked","reason":"500 unknown trouble","timestamp":1764000000,"sg_event_id":"e2"},
                {"email":"an@example.com","event":"spamreport","timestamp":1764000000,"sg_event_id":"e3"},
                {"email":"an@example.com","event":"open","timestamp":1764000000,"sg_event_id":"e4"},
                {"email":"bo@example.com","event":"deferred","response":"451 try again later","timestamp":1764000000,"sg_event_id":"e5"}]"#,
            vec![
                "sendgrid bounce hard li@example.com",
                "sendgrid bounce soft wu@example.com",
                "sendgrid complaint - an@example.com",
                "sendgrid bounce - bo@example.com",
            ],
        ),
        (
            r#"{"signature":{},"event-data":{"event":"failed","severity":"permanent","id":"m1","recipient":"li@example.com","timestamp":1764000000.5,
                "delivery-status":{"code":550,"message":"5.1.1 The email account that you tried to reach does not exist"},
                "message":{"headers":{"message-id":"a@b"}}}}"#,
            vec!["mailgun bounce hard li@example.com"],
        ),
        (
            r#"{"RecordType":"Bounce","Type":"HardBounce","ID":42,"Email":"li@example.com","BouncedAt":"2026-11-24T10:00:00Z","Details":"unknown"}"#,
            vec!["postmark bounce hard li@example.com"],
        ),
        (
            r#"{"RecordType":"SubscriptionChange","Recipient":"li@example.com","SuppressSending":true,"ChangedAt":"2026-11-24T10:00:00Z"}"#,
            vec!["postmark unsubscribe - li@example.com"],
        ),
        (
            r#"{"RecordType":"SubscriptionChange","Recipient":"li@example.com","SuppressSending":false}"#,
            vec![],
        ),
        (
            r#"{"event":"hard_bounce","email":"li@example.com","message-id":"<a@b>","ts_event":1764000000,"reason":"no mailbox"}"#,
            vec!["brevo bounce hard li@example.com"],
        ),
        (
            r#"{"email":"li@example.com","source":"api","type":"complaint","meta":"{}"}"#,
            vec!["listmonk complaint - li@example.com"],
        ),
        (
            r#"{"id":"87","type":"dm:Deliver:Fail","time":"2026-11-24T10:00:00+08:00","data":{"rcpt":"li@example.com","msg_id":"a@b",
                "err_code":"554","err_msg":"554 RCPT (li@example.com) dosn't exist","failed_type":"SmtpNxBox"}}"#,
            vec!["directmail bounce hard li@example.com"],
        ),
        (
            r#"{"id":"88","type":"dm:Feedback:UnSubscribe","data":{"rcpt":"li@example.com"}}"#,
            vec!["directmail unsubscribe - li@example.com"],
        ),
        (
            r#"{"event":"bounce","email":"li@example.com","bulkId":"q1","timestamp":1764000000,"bounceType":"hard_bounce","reason":"x"}"#,
            vec!["tencent-ses bounce hard li@example.com"],
        ),
        (
            "{\"email\":\"li@example.com\",\"event\":\"unsubscribe\"}\n{\"email\":\"wu@example.com\",\"event\":\"click\"}\n",
            vec!["json unsubscribe - li@example.com"],
        ),
        (
            "email,type\nli@example.com,hard\nwu@example.com,soft\nan@example.com,complaint\nbo@example.com,unsubscribed\ncy@example.com,open\n",
            vec![
                "table bounce hard li@example.com",
                "table bounce soft wu@example.com",
                "table complaint - an@example.com",
                "table unsubscribe - bo@example.com",
            ],
        ),
        (
            "\u{feff}收件人地址;投递状态;错误信息;发送时间\nli@example.com;2;554 RCPT (li) dosn't exist;2026-11-24 10:00:00\nwu@example.com;0;;2026-11-24 10:00:00\n",
            vec![
                "table bounce hard li@example.com",
                "table delivered - wu@example.com",
            ],
        ),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_named_by_its_place() {
    for (text, place) in [
        ("[{\"email\":\"li@example.com\",\"event\":\"exploded\"}]", "1[0]"),
        ("email,type\nno-address,hard\n", "2"),
        ("name,shoe size\nLi,42\n", "1"),
        ("{\"hello\": 1}", "1"),
        ("{\"email\":\"a@b.example\",\"event\":\"bounce\"}\n{broken\n", "2"),
    ] {
        assert_eq!(read(text, &Judge::default()).strange, [place], "{text}");
    }
}

#[test]
fn moments_are_read_as_providers_write_them() {
    let expected = Some(1_764_000_000_000);
    for text in [
        "1764000000",
        "1764000000000",
        "1764000000.0",
        "2025-11-24T16:00:00Z",
        "2025-11-25T00:00:00+08:00",
    ] {
        assert_eq!(moment(text), expected, "{text}");
    }
    for text in ["", "soon", "-5", "1e300"] {
        assert_eq!(moment(text), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_comes_breaks_it(text in "\\PC{0,300}") {
        read(&text, &Judge::default());
        read(&format!("[{text}"), &Judge::default());
        read(&format!("email,type\n{text}"), &Judge::default());
    }
}
