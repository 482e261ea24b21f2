//! Mails as servers and people write them, made up after the forms that are in use. One file, long as it is: a mail stands
//! beside what is understood of it.

use super::*;
use crate::mail::Class;

const SENDER: &str = "news@aurora-home.example";
const RETURNED: &str = "Received: from mail.aurora-home.example by mx.example.com; Tue, 24 Nov 2026 10:00:00 +0800\n\
    From: Aurora <news@aurora-home.example>\nTo: li@example.com\nSubject: Autumn\n\
    Message-ID: <0123456789abcdef0123456789abcdef@aurora-home.example>\nMIME-Version: 1.0\n";

fn read(mail: &str) -> Incoming {
    Incoming::read(mail.as_bytes(), &Judge::default())
}

/// A mail from a server to us, as plain text.
fn notice(from: &str, subject: &str, text: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: {from}\nTo: {SENDER}\nSubject: {subject}\nMessage-ID: <r1@mx.example.com>\n\
         Date: Tue, 24 Nov 2026 10:00:05 +0800\n\n{text}"
    )
}

/// A report with parts, as RFC 3464 has it.
fn report(human: &str, status: &str) -> String {
    format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.com (Mail Delivery System)\nTo: {SENDER}\n\
         Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b1\"\n\n\
         --b1\nContent-Type: text/plain; charset=us-ascii\n\n{human}\n\
         --b1\nContent-Type: message/delivery-status\n\n{status}\n\
         --b1\nContent-Type: text/rfc822-headers\n\n{RETURNED}\n--b1--\n"
    )
}

/// Kind, address, severity and class of the first recipient.
fn told(mail: &str) -> (Kind, Option<String>, Option<&'static str>, Option<Class>) {
    let incoming = read(mail);
    let first = incoming.about.first();
    (
        incoming.kind,
        first.map(|one| one.address.clone()),
        first.and_then(Returned::severity).map(Severity::name),
        first.and_then(|one| one.verdict).map(|verdict| verdict.class),
    )
}

fn bounce(
    address: &str,
    severity: &'static str,
    class: Class,
) -> (Kind, Option<String>, Option<&'static str>, Option<Class>) {
    (
        Kind::Bounce,
        Some(address.to_owned()),
        Some(severity),
        Some(class),
    )
}

#[test]
fn a_report_for_programs_is_read_field_by_field() {
    let mail = report(
        "I'm sorry to have to inform you that your message could not be delivered.\n\n<li@example.com>: see below\n",
        "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; li@example.com\nOriginal-Recipient: rfc822;li@example.com\n\
         Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <li@example.com>: Recipient address\n    rejected: User unknown\n",
    );
    assert_eq!(told(&mail), bounce("li@example.com", "hard", Class::UnknownUser));
    let incoming = read(&mail);
    assert_eq!(
        incoming.message_ids,
        ["0123456789abcdef0123456789abcdef@aurora-home.example"]
    );
    assert_eq!(incoming.about[0].reply.code, 550);
}

#[test]
fn what_is_still_being_tried_is_no_failure_yet() {
    let mail = report(
        "Your message could not be delivered for 4 hours. It will be retried until it is 5 days old.\n",
        "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; li@example.com\nAction: delayed\nStatus: 4.4.1\n\
         Diagnostic-Code: smtp; connect to mx: Connection timed out\n",
    );
    let incoming = read(&mail);
    assert_eq!(
        (incoming.kind, incoming.about[0].action),
        (Kind::Bounce, Action::Delayed)
    );
    assert_eq!(incoming.about[0].severity(), Some(Severity::Soft));
}

#[test]
fn a_report_of_success_is_no_bounce() {
    let mail = report(
        "Your message was delivered.\n",
        "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; li@example.com\nAction: relayed\nStatus: 2.0.0\n",
    );
    let incoming = read(&mail);
    assert_eq!((incoming.kind, incoming.about[0].severity()), (Kind::Other, None));
}

#[test]
fn one_that_was_given_up_after_days_of_user_unknown_is_hard() {
    let mail = report(
        "Delivery has failed.\n",
        "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; li@example.com\nAction: failed\nStatus: 4.1.1\n\
         Diagnostic-Code: smtp; 450 4.1.1 <li@example.com>: Recipient address rejected: User unknown in virtual mailbox table\n",
    );
    assert_eq!(told(&mail), bounce("li@example.com", "hard", Class::UnknownUser));
}

#[test]
fn the_sender_who_was_refused_is_not_the_recipient_who_is_gone() {
    let mail = report(
        "Delivery has failed.\n",
        "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; li@example.com\nAction: failed\nStatus: 5.1.8\n\
         Diagnostic-Code: smtp; 550 5.1.8 No such domain (in reply to MAIL FROM command)\n",
    );
    let (_, _, severity, class) = told(&mail);
    assert_eq!((severity, class), (Some("soft"), Some(Class::SenderRejected)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn servers_that_write_to_people_alone_are_understood() {
    let daemon = "MAILER-DAEMON@mx.example.com";
    let quoted = format!("--- Below this line is a copy of the message.\n\n{RETURNED}\nHello\n");
    for (name, mail, expected) in [
        (
            "qmail",
            notice(
                daemon,
                "failure notice",
                &format!(
                    "Hi. This is the qmail-send program at mx.example.com.\nI'm afraid I wasn't able to deliver your message to the \
                 following addresses.\n\n<li@example.com>:\n192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1 no such \
                 user\nGiving up on 192.0.2.7.\n\n{quoted}"
                ),
            ),
            bounce("li@example.com", "hard", Class::UnknownUser),
        ),
        (
            "exim",
            notice(
                "Mail Delivery System <Mailer-Daemon@mx.example.com>",
                "Mail delivery failed: returning message to sender",
                &format!(
                    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered \
                 to one or more of its\nrecipients. The following address(es) failed:\n\n  li@example.com\n    mailbox is full: \
                 retry timeout exceeded\n\n------ This is a copy of the message, including all the headers. ------\n\n{RETURNED}\nHello\n"
                ),
            ),
            bounce("li@example.com", "soft", Class::MailboxFull),
        ),
        (
            "sendmail of old",
            notice(
                daemon,
                "Returned mail: User unknown",
                &format!(
                    "   ----- The following addresses had permanent fatal errors -----\n<li@example.com>\n\n   ----- Transcript of session \
                 follows -----\n... while talking to mx.example.com.:\n>>> RCPT To:<li@example.com>\n<<< 550 <li@example.com>... User \
                 unknown\n\n   ----- Original message follows -----\n\n{RETURNED}\nHello\n"
                ),
            ),
            bounce("li@example.com", "hard", Class::UnknownUser),
        ),
        (
            "Exchange",
            notice(
                "System Administrator <postmaster@example.com>",
                "Undeliverable: Autumn",
                "Your message\n\n  To:      li@example.com\n  Subject: Autumn\n  Sent:    Tue, 24 Nov 2026 10:00:00\n\ndid not reach the \
                 following recipient(s):\n\nli@example.com on Tue, 24 Nov 2026 10:00:01\n    The recipient name is not recognized\n    \
                 MSEXCH:IMS:EXAMPLE 0 (000C05A6) Unknown Recipient\n",
            ),
            bounce("li@example.com", "hard", Class::UnknownUser),
        ),
        (
            "Domino",
            notice(
                "Postmaster@example.com",
                "DELIVERY FAILURE: User Li (li@example.com) not listed in Domino Directory",
                "Your message\n\n  Subject: Autumn\n\nwas not delivered to:\n\n  li@example.com\n\nbecause:\n\n  User Li \
                 (li@example.com) not listed in Domino Directory\n",
            ),
            bounce("li@example.com", "hard", Class::UnknownUser),
        ),
        (
            "Gmail",
            notice(
                "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
                "Delivery Status Notification (Failure)",
                "** Address not found **\n\nYour message wasn't delivered to li@example.com because the address couldn't be found, or \
                 is unable to receive mail.\n",
            ),
            bounce("li@example.com", "hard", Class::UnknownUser),
        ),
        (
            "QQ",
            notice(
                "PostMaster@qq.com",
                "=?utf-8?B?57O757uf6YCA5L+h?=",
                "退信原因：收件人邮件地址（li@example.com）不存在，邮件无法送达。\n\n收件人：li@example.com\n原因：550 Mailbox not found\n",
            ),
            bounce("li@example.com", "hard", Class::UnknownUser),
        ),
        (
            "Alibaba",
            notice(
                "postmaster@mail.aliyun.com",
                "=?utf-8?B?6YCA5L+h6YCa55+l?=",
                "您好！您的邮件未能投递成功。\n\n收件人 <li@example.com>\n退信信息：552 mailbox is full\n",
            ),
            bounce("li@example.com", "soft", Class::MailboxFull),
        ),
    ] {
        assert_eq!(told(&mail), expected, "{name}");
    }
}

#[test]
fn chinese_reports_are_read_in_the_encoding_they_came_in() {
    let text = "抱歉，您的邮件被退回来了……\n\n收件人邮箱 li@example.com 不存在，邮件无法送达。\n";
    let (body, _, _) = encoding_rs::GB18030.encode(text);
    let mut mail = b"Return-Path: <>\nFrom: postmaster@163.com\nTo: news@aurora-home.example\nSubject: \
        =?GBK?B?z7XNs83L0MU=?=\nMIME-Version: 1.0\nContent-Type: text/plain; charset=GBK\n\
        Content-Transfer-Encoding: 8bit\n\n"
        .to_vec();
    mail.extend_from_slice(&body);
    let incoming = Incoming::read(&mail, &Judge::default());
    assert_eq!(incoming.kind, Kind::Bounce);
    assert_eq!(incoming.about[0].address, "li@example.com");
    assert_eq!(incoming.about[0].severity(), Some(Severity::Hard));
}

#[test]
fn line_ends_and_mailbox_lines_do_not_matter() {
    let mail = report(
        "Failed.\n",
        "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; li@example.com\nAction: failed\nStatus: 5.1.1\n",
    );
    let expected = bounce("li@example.com", "hard", Class::UnknownUser);
    for mail in [
        mail.replace('\n', "\r\n"),
        mail.replace('\n', "\r"),
        format!("From MAILER-DAEMON Tue Nov 24 10:00:00 2026\n{mail}"),
    ] {
        assert_eq!(told(&mail), expected);
    }
}

#[test]
fn a_complaint_names_who_complained_or_at_least_the_mail() {
    let arf = |report: &str, to: &str| {
        format!(
            "From: <feedback@isp.example>\nTo: {SENDER}\nSubject: FW: Autumn\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=\"b1\"\n\n--b1\nContent-Type: text/plain\n\n\
             This is an email abuse report.\n--b1\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\n\
             Version: 1\n{report}\n--b1\nContent-Type: message/rfc822\n\n{}\nHello\n--b1--\n",
            RETURNED.replace("To: li@example.com", to)
        )
    };
    let whole = read(&arf("Original-Rcpt-To: <li@example.com>\n", "To: li@example.com"));
    assert_eq!(
        (whole.kind, whole.about[0].address.as_str()),
        (Kind::Complaint, "li@example.com")
    );
    let redacted = read(&arf("", "To: <Undisclosed Recipients>"));
    assert_eq!((redacted.kind, redacted.about.len()), (Kind::Complaint, 0));
    assert_eq!(
        redacted.message_ids,
        ["0123456789abcdef0123456789abcdef@aurora-home.example"]
    );
    let failure =
        read(&arf("", "To: li@example.com").replace("Feedback-Type: abuse", "Feedback-Type: auth-failure"));
    assert_eq!(
        failure.kind,
        Kind::Other,
        "a failed check of DMARC is nobody's complaint"
    );
}

#[test]
fn answers_that_programs_write_are_told_from_bounces() {
    for (headers, text) in [
        (
            "From: li@example.com\nSubject: Out of Office: Autumn\nAuto-Submitted: auto-replied",
            "I am away. Your mail was not forwarded.",
        ),
        (
            "From: li@example.com\nSubject: =?utf-8?B?6Ieq5Yqo5Zue5aSNOiDnp4vlraM=?=",
            "您好，我正在休假，无法及时回复您的邮件。",
        ),
        (
            "From: Li <li@example.com>\nSubject: Automatic reply: Autumn\nX-Auto-Response-Suppress: All",
            "I no longer work here.",
        ),
        (
            "Return-Path: <>\nFrom: li@example.com\nSubject: Abwesenheitsnotiz\nX-Autoreply: yes",
            "Ich bin nicht im Haus.",
        ),
    ] {
        let mail = format!("{headers}\nTo: {SENDER}\n\n{text}\n");
        assert_eq!(read(&mail).kind, Kind::AutoReply, "{headers}");
    }
}

#[test]
fn people_who_write_about_bounces_send_none() {
    for (subject, text) in [
        (
            "Re: your mail",
            "Hello,\n\nyour last mail came back to me with \"550 5.1.1 user unknown: li@example.com\", can you check?\n\nLi\n",
        ),
        (
            "Fwd: Undelivered Mail Returned to Sender",
            "See below.\n\n> <wu@example.com>: host mx said: 550 5.1.1 no such user\n",
        ),
        ("Order 550", "Thank you, everything was delivered.\n"),
        ("退货", "请问我的包裹被退回来了怎么办？\n"),
    ] {
        let mail = format!(
            "From: Li <li@example.com>\nReturn-Path: <li@example.com>\nTo: {SENDER}\nSubject: {subject}\n\n{text}"
        );
        assert_eq!(read(&mail).kind, Kind::Other, "{subject}");
    }
}

#[test]
fn a_wish_is_a_wish_in_the_subject_or_in_the_first_words() {
    let token = "AQ8mTjEwP7KY7hrD1eWwmr7LssxkhI-v0QfX0-FlNnVN";
    for (subject, text, is_wish) in [
        (format!("unsubscribe-{token}"), "", true),
        ("unsubscribe".to_owned(), "", true),
        ("退订".to_owned(), "", true),
        (
            "Re: Autumn".to_owned(),
            "Unsubscribe me please\n\n> Hello Li\n",
            true,
        ),
        ("Re: Autumn".to_owned(), "unsubscribe\n\n> Hello Li\n", true),
        ("回复: 新品".to_owned(), "退订\n\n> 您好\n", true),
        (
            "Question".to_owned(),
            "How do I unsubscribe from the paper catalogue? I like the mails.\n",
            false,
        ),
    ] {
        let mail = format!("From: \"Li\" <li@example.com>\nTo: {SENDER}\nSubject: {subject}\n\n{text}\n");
        let incoming = read(&mail);
        assert_eq!(incoming.kind == Kind::Unsubscribe, is_wish, "{subject}: {text}");
        if subject.contains(token) {
            assert_eq!(incoming.tokens, [token]);
        }
    }
}

#[test]
fn a_mail_program_that_unsubscribes_says_so_with_an_automatic_mail() {
    let mail = format!(
        "From: li@example.com\nTo: {SENDER}\nSubject: unsubscribe\nAuto-Submitted: auto-replied\n\nSent by a program.\n"
    );
    assert_eq!(read(&mail).kind, Kind::Unsubscribe);
}

#[test]
fn a_notification_of_amazon_that_comes_by_mail_is_what_it_tells() {
    let event = r#"{"notificationType":"Bounce","mail":{"messageId":"1","headers":[{"name":"Message-ID","value":"<a@b>"}]},
        "bounce":{"feedbackId":"f","bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"li@example.com"}]}}"#;
    for event in [
        event.to_owned(),
        event.replace("\"feedbackId\"", "\"feed\nbackId\""),
    ] {
        let mail = format!(
            "From: no-reply@sns.amazonaws.com\nTo: {SENDER}\nSubject: AWS Notification Message\n\n{event}\n\n--\nIf you wish to \
             stop receiving notifications from this topic, please visit https://sns.example\n"
        );
        let incoming = read(&mail);
        let ids: Vec<&str> = incoming.message_ids.iter().map(String::as_str).collect();
        assert_eq!((incoming.kind, ids), (Kind::Bounce, vec!["a@b"]));
        assert_eq!(incoming.about[0].severity(), Some(Severity::Hard));
    }
}

#[test]
fn who_has_failed_has_failed_whatever_is_said_of_another() {
    let mail = report(
        "li@example.com: user unknown\nwu@example.com: delayed, the message will be retried\n",
        "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; li@example.com\nAction: failed\nStatus: 5.1.1\n\n\
         Final-Recipient: rfc822; wu@example.com\nAction: delayed\nStatus: 4.4.1\n",
    );
    let actions: Vec<Action> = read(&mail).about.iter().map(|one| one.action).collect();
    assert_eq!(actions, [Action::Failed, Action::Delayed]);
}

#[test]
fn a_wish_is_known_in_the_words_of_people() {
    let wishes = [
        "TD",
        "td",
        "我要退订",
        "退订此邮件",
        "请把我从列表中删除",
        "麻烦将我从你们的邮件列表里移除，谢谢！",
        "请不要再给我发邮件了",
        "别再发了",
        "取消订阅，谢谢",
        "您好，\n\n请帮我退订一下。\n\n李娜",
        "不想再收到你们的邮件",
        "請取消訂閱",
        "Unsubscribe please",
        "Please unsubscribe me from this list. Thanks!",
        "Hi,\n\nI would like to unsubscribe, please.\n\nAnna",
        "Stop sending me emails",
        "STOP EMAILING ME!!!",
        "please take me off your mailing list",
        "Could you remove my email address from your list?",
        "I want to be removed from your list",
        "Don't email me again.",
        "Bitte abmelden, danke",
    ];
    for wish in wishes {
        let mail = format!("From: li@example.com\nTo: {SENDER}\nSubject: Re: News\n\n{wish}\n\n> Hello Li\n");
        assert_eq!(read(&mail).kind, Kind::Unsubscribe, "{wish}");
    }
    let letters = [
        "Please stop by our stand in hall 4",
        "Can you stop the delivery of my order 4711? I shall be away until Monday.",
        "I removed the old address, here is the new one",
        "请问退订后积分还在吗？",
        "从你们店里删除的商品还能买到吗，我想要那双鞋",
        "谢谢",
        "Please do not unsubscribe me, I like your mails",
        "How can I cancel my subscription to the paper catalogue?",
    ];
    for letter in letters {
        let mail =
            format!("From: li@example.com\nTo: {SENDER}\nSubject: Re: News\n\n{letter}\n\n> Hello Li\n");
        assert_eq!(read(&mail).kind, Kind::Other, "{letter}");
    }
}

#[test]
fn octets_of_which_nobody_says_what_they_mean_are_read_as_chinese() {
    let (wish, _, _) = encoding_rs::GB18030.encode("退订");
    let head = format!("From: li@qq.com\nTo: {SENDER}\n");
    let in_text = [head.as_bytes(), b"Subject: Re: News\n\n", &wish, b"\n"].concat();
    let in_subject = [head.as_bytes(), b"Subject: ", &wish, b"\n\n \n"].concat();
    for mail in [in_text, in_subject] {
        let kind = Incoming::read(&mail, &Judge::default()).kind;
        assert_eq!(kind, Kind::Unsubscribe, "{}", String::from_utf8_lossy(&mail));
    }
}

#[test]
fn a_letter_about_a_failure_is_no_report_of_one() {
    let original = "-----Original Message-----\nFrom: Shop <news@shop.example>\nTo: anna@example.com\n\
                    Subject: Your order\nDate: Mon, 2 Nov 2026 10:00:00 +0100\nMessage-ID: <1@shop.example>\n\nHello\n";
    let letters = [
        (
            "Anna <anna@example.com>",
            "Delivery problem with order 4711",
            "The address on your page does not exist.",
        ),
        (
            "Anna <anna@example.com>",
            "Failed delivery",
            "John said: the parcel was returned, the recipient is unknown to the postman.",
        ),
        (
            "Anna <anna@stock-exchange.example>",
            "Question",
            "The product does not exist any more in your shop?",
        ),
        (
            "Anna <anna@antivirus.example>",
            "Mail delivery failed?",
            "Did my mail reach you? I could not be reached on Monday.",
        ),
        (
            "Exchange Desk <desk@shop.example>",
            "Returns",
            "The item was returned, the colour does not exist in size 4.",
        ),
    ];
    for (from, subject, text) in letters {
        let mail = format!(
            "From: {from}\nTo: {SENDER}\nSubject: {subject}\nMessage-ID: <2@example.com>\n\n{text}\n\n{original}"
        );
        assert_eq!(read(&mail).kind, Kind::Other, "{subject}");
    }
}

#[test]
fn a_long_word_in_a_subject_is_no_wish() {
    let mail = format!(
        "From: Li <li@example.com>\nTo: {SENDER}\nSubject: Order 12 {} thanks\n\nI love it.\n",
        "-".repeat(44)
    );
    assert_eq!(read(&mail).kind, Kind::Other);
}

proptest::proptest! {
    #[test]
    fn nothing_that_comes_breaks_it(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        Incoming::read(&octets, &Judge::default());
    }

    #[test]
    fn no_report_that_is_cut_off_or_garbled_breaks_it(at in 0_usize..2_000, put in "[\\x00-\\xff]{0,12}") {
        let mail = report("Failed: <li@example.com>", "Final-Recipient: rfc822; li@example.com\nAction: failed\n");
        let at = mail.floor_char_boundary(at.min(mail.len()));
        Incoming::read(&mail.as_bytes()[..at], &Judge::default());
        let (ahead, behind) = mail.split_at(at);
        let garbled = format!("{ahead}{put}{behind}");
        Incoming::read(garbled.as_bytes(), &Judge::default());
    }
}
