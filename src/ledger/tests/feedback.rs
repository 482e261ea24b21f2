//! What came back, and what follows from it.

use super::*;
use crate::campaign::limits::Limits;
use crate::mail::{Address, DeliveryTag, Feedback, Severity, Volume};

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Something that came back from one of the people of `spring`.
fn came(evidence: &str, kind: Feedback, who: &str, at_ms: i64) -> NewFeedback {
    NewFeedback {
        address: Some(format!("{who}@example.com")),
        said: "no such user".to_owned(),
        ..NewFeedback::new(kind, evidence.to_owned(), "test".to_owned(), at_ms)
    }
}

fn bounce(evidence: &str, severity: Severity, who: &str, at_ms: i64) -> NewFeedback {
    NewFeedback {
        severity: Some(severity),
        class: Some(Class::UnknownUser),
        ..came(evidence, Feedback::Bounce, who, at_ms)
    }
}

impl Book {
    async fn send_all(&self, now_ms: i64) {
        for delivery in self.due(now_ms).await {
            let Begin::Go(attempt) = self.begin(delivery.id, &[], now_ms).await else {
                panic!("{delivery:?} does not begin");
            };
            self.finish(delivery.id, attempt, Next::Sent, now_ms + 1).await;
        }
    }

    async fn receive(&self, rows: &[NewFeedback]) -> Vec<Received> {
        self.ledger
            .receive(rows.to_vec(), Limits::default(), false)
            .await
            .unwrap()
    }

    fn why(&self, who: &str) -> Vec<String> {
        let whom = crate::mail::Whom::Address(format!("{who}@example.com"));
        let found = self.reader().suppressions_of(&whom).unwrap();
        found.into_iter().map(|row| row.reason).collect()
    }
}

#[tokio::test]
async fn a_hard_bounce_suppresses_once_and_the_same_report_changes_nothing_again() {
    let book = Book::new(&["li", "wu"]).await;
    book.send_all(10).await;
    let row = bounce("mail 1", Severity::Hard, "li", 20);
    let first = book.receive(std::slice::from_ref(&row)).await.remove(0);
    assert_eq!(
        (first.is_new, first.campaign.as_deref(), first.suppressed),
        (true, Some("spring"), Some(Reason::HardBounce))
    );
    let lifted = book
        .ledger
        .lift("li@example.com".to_owned(), None, "a mistake".to_owned(), 30);
    assert_eq!(lifted.await.unwrap(), 1);
    let again = book.receive(&[row]).await.remove(0);
    assert_eq!((again.is_new, again.suppressed), (false, None));
    assert!(book.why("li").is_empty(), "what was lifted stays lifted");
}

#[tokio::test]
async fn a_trial_says_what_would_be_and_changes_nothing() {
    let book = Book::new(&["li"]).await;
    book.send_all(10).await;
    let row = bounce("mail 1", Severity::Hard, "li", 20);
    let tried = book.ledger.receive(vec![row.clone()], Limits::default(), true);
    assert_eq!(tried.await.unwrap()[0].suppressed, Some(Reason::HardBounce));
    assert!(book.why("li").is_empty());
    assert!(book.receive(&[row]).await[0].is_new);
}

#[tokio::test]
async fn a_report_of_nobody_we_mailed_suppresses_nobody() {
    let book = Book::new(&["li"]).await;
    let row = bounce("mail 1", Severity::Hard, "li", 5);
    assert_eq!(
        book.receive(std::slice::from_ref(&row)).await,
        [Received::default()],
        "nothing was sent yet"
    );
    book.send_all(2 * DAY).await;
    assert_eq!(
        book.receive(&[row]).await,
        [Received::default()],
        "it is older than the mail"
    );
    let other = bounce("mail 2", Severity::Hard, "someone", 20);
    assert_eq!(book.receive(&[other]).await, [Received::default()]);
    assert!(book.why("someone").is_empty());
}

#[tokio::test]
async fn a_mail_is_found_by_its_name_whatever_address_the_report_names() {
    let book = Book::new(&["li", "wu"]).await;
    book.send_all(10).await;
    let uid = book.reader().uid("spring").unwrap().unwrap();
    let address = Address::parse("li@example.com").unwrap();
    let row = NewFeedback {
        tags: vec![DeliveryTag::derive(&uid, &address, Volume::FIRST)],
        ..bounce("mail 1", Severity::Hard, "forwarded.elsewhere", 20)
    };
    let received = book.receive(&[row]).await.remove(0);
    assert_eq!(received.address.as_deref(), Some("li@example.com"));
    assert_eq!(
        (book.why("li"), book.why("wu")),
        (vec!["hard_bounce".to_owned()], vec![])
    );
}

#[tokio::test]
async fn three_soft_bounces_within_a_month_are_enough_and_delays_do_not_count() {
    let book = Book::new(&["li"]).await;
    book.send_all(10).await;
    for (number, day) in [0, 10, 20].into_iter().enumerate() {
        let late = came(&format!("delay {day}"), Feedback::Bounce, "li", day * DAY + 50);
        assert_eq!(book.receive(&[late]).await[0].suppressed, None);
        // Each of another campaign's mail.
        let name = format!("news {number}");
        let campaign = book.ledger.register(&name, "main", "{}", 1).await.unwrap().id;
        let list = book.ledger.add_list("d", "p").await.unwrap();
        let new = NewDelivery {
            address: "li@example.com".to_owned(),
            key: "li@example.com".to_owned(),
            written_key: None,
            place: Place {
                line: 2,
                offset: 0,
                length: 1,
            },
            volume: Volume::FIRST,
            cut: None,
        };
        book.ledger
            .enrol(campaign, list, vec![new], Vec::new())
            .await
            .await
            .unwrap();
        book.ledger.enrolled(campaign, "main", "{}", 1).await.unwrap();
        let due = book
            .ledger
            .due(campaign, day * DAY + 60, None, 10)
            .await
            .unwrap()
            .remove(0);
        let intent = Intent {
            key: "li@example.com".to_owned(),
            ..book.intent(due.id, &[], day * DAY + 60)
        };
        let Begin::Go(attempt) = book.ledger.begin(intent).await.await.unwrap() else {
            panic!("does not begin");
        };
        book.finish(due.id, attempt, Next::Sent, day * DAY + 70).await;
        let soft = bounce(&format!("mail {day}"), Severity::Soft, "li", day * DAY + 100);
        let expected = (number == 2).then_some(Reason::SoftBounces);
        assert_eq!(book.receive(&[soft]).await[0].suppressed, expected, "{day}");
    }
}

#[tokio::test]
async fn one_mail_that_comes_back_three_times_counts_once() {
    let book = Book::new(&["li"]).await;
    book.send_all(10).await;
    for number in 0..5 {
        let soft = bounce(&format!("mail {number}"), Severity::Soft, "li", 20 + number);
        assert_eq!(book.receive(&[soft]).await[0].suppressed, None);
    }
}

#[tokio::test]
async fn a_report_about_several_uses_the_name_of_the_mail_for_the_one_it_was_to() {
    let book = Book::new(&["li", "wu"]).await;
    book.send_all(10).await;
    let uid = book.reader().uid("spring").unwrap().unwrap();
    let address = Address::parse("li@example.com").unwrap();
    let row = |who: &str, at_ms| NewFeedback {
        tags: vec![DeliveryTag::derive(&uid, &address, Volume::FIRST)],
        is_one_of_several: true,
        ..bounce(&format!("mail 1 {who}"), Severity::Hard, who, at_ms)
    };
    let received = book
        .receive(&[row("wu", 20), row("li", -2 * DAY), row("nobody", 20)])
        .await;
    let about: Vec<_> = received.iter().map(|one| one.address.as_deref()).collect();
    assert_eq!(about, [Some("wu@example.com"), Some("li@example.com"), None]);
}

#[tokio::test]
async fn a_wish_is_that_of_its_writer_even_in_answer_to_the_mail_of_somebody_else() {
    let book = Book::new(&["li", "wu"]).await;
    book.send_all(10).await;
    let uid = book.reader().uid("spring").unwrap().unwrap();
    let address = Address::parse("li@example.com").unwrap();
    let wish = |who: &str| NewFeedback {
        tags: vec![DeliveryTag::derive(&uid, &address, Volume::FIRST)],
        ..came(&format!("mail {who}"), Feedback::Unsubscribe, who, 20)
    };
    book.receive(&[wish("wu")]).await;
    assert_eq!((book.why("li").len(), book.why("wu").len()), (0, 1));
    // Under another name than the one that was mailed: then it is the mail that says who.
    book.receive(&[wish("li.private")]).await;
    assert_eq!(book.why("li").len(), 1);
}

#[tokio::test]
async fn one_complaint_that_anybody_can_have_written_holds_no_campaign() {
    let book = Book::new(&["li", "wu", "ann", "eva"]).await;
    book.send_all(10).await;
    let complaint = |who: &str| NewFeedback {
        is_trusted: false,
        ..came(&format!("mail {who}"), Feedback::Complaint, who, 20)
    };
    let held = book.receive(&[complaint("li"), complaint("wu")]).await;
    assert!(held.iter().all(|one| one.held.is_none()), "{held:?}");
    assert_eq!(
        book.why("li"),
        ["complaint"],
        "they are mailed no more all the same"
    );
    let held = book.receive(&[complaint("ann")]).await.remove(0);
    assert_eq!(held.held.as_deref(), Some("3 of 4 complained"));
}

#[tokio::test]
async fn complaints_over_the_limit_hold_the_campaign_until_it_is_released() {
    let people: Vec<String> = (0..10).map(|number| format!("p{number}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let book = Book::new(&people).await;
    for delivery in book.due(10).await.iter().take(5) {
        let Begin::Go(attempt) = book.begin(delivery.id, &[], 10).await else {
            panic!("does not begin");
        };
        book.finish(delivery.id, attempt, Next::Sent, 11).await;
    }
    let received = book
        .receive(&[came("arf 1", Feedback::Complaint, "p0", 20)])
        .await
        .remove(0);
    assert_eq!(received.held.as_deref(), Some("1 of 5 complained"));
    assert_eq!(received.suppressed, Some(Reason::Complaint));
    let next = book.due(30).await.remove(0).id;
    assert_eq!(book.begin(next, &[], 30).await, Begin::Held);
    book.ledger.release(book.campaign).await.unwrap();
    assert!(matches!(book.begin(next, &[], 30).await, Begin::Go(_)));
}

#[tokio::test]
async fn a_refusal_at_sending_time_counts_as_a_bounce() {
    let book = Book::new(&["li"]).await;
    let delivery = book.due(10).await.remove(0).id;
    let Begin::Go(attempt) = book.begin(delivery, &[], 10).await else {
        panic!("does not begin");
    };
    book.finish(delivery, attempt, Next::GiveUp("550 5.1.1 no".to_owned()), 11)
        .await;
    assert_eq!(book.why("li"), ["hard_bounce"]);
    let came = book.reader().feedback_of("li@example.com").unwrap();
    assert_eq!(
        (came[0].kind.as_str(), came[0].severity.as_deref()),
        ("bounce", Some("hard"))
    );
}

#[tokio::test]
async fn a_suppression_of_one_list_spares_the_campaigns_of_others() {
    let inputs = |list: &str| format!("{{\"settings\": {{\"list_id\": \"News <{list}.example.com>\"}}}}");
    let book = Book::new(&[]).await;
    let row = NewSuppression {
        list: "shop.example.com".to_owned(),
        ..suppression("li@example.com", 5)
    };
    let pattern = suppression("@*@spam.example", 5);
    book.ledger.suppress(vec![row, pattern]).await.unwrap();
    for (name, list, expected) in [("a", "shop", 2), ("b", "club", 1)] {
        let campaign = book
            .ledger
            .register(name, "main", &inputs(list), 1)
            .await
            .unwrap()
            .id;
        let to = book.ledger.add_list("d", "p").await.unwrap();
        let new = ["li@example.com", "wu@example.com", "x@spam.example"].map(|address| NewDelivery {
            address: address.to_owned(),
            key: address.to_owned(),
            written_key: None,
            place: Place {
                line: 2,
                offset: 0,
                length: 1,
            },
            volume: Volume::FIRST,
            cut: None,
        });
        let held = book
            .ledger
            .enrol(campaign, to, new.to_vec(), Vec::new())
            .await
            .await
            .unwrap();
        assert_eq!(held, expected, "{name}");
    }
}

#[tokio::test]
async fn a_pattern_that_is_added_meanwhile_stops_those_who_fit() {
    let book = Book::new(&["li"]).await;
    let delivery = book.due(10).await.remove(0).id;
    book.ledger
        .suppress(vec![suppression("@*@example.com", 5)])
        .await
        .unwrap();
    assert_eq!(book.begin(delivery, &[], 10).await, Begin::Skip);
    assert_eq!(book.tally().suppressed, 1);
}

#[tokio::test]
async fn a_persons_own_wish_takes_the_place_of_what_was_noted_before() {
    let book = Book::new(&["li"]).await;
    book.send_all(10).await;
    book.ledger
        .suppress(vec![suppression("li@example.com", 5)])
        .await
        .unwrap();
    book.receive(&[came("web 1", Feedback::Unsubscribe, "li", 20)])
        .await;
    book.receive(&[bounce("mail 1", Severity::Hard, "li", 30)]).await;
    assert_eq!(book.why("li"), ["unsubscribe"]);
}

#[tokio::test]
async fn a_wish_counts_before_the_first_mail_and_whatever_its_date() {
    let book = Book::new(&["li"]).await;
    let row = came("mail 1", Feedback::Unsubscribe, "li", -DAY);
    assert_eq!(
        book.receive(&[row]).await[0].suppressed,
        Some(Reason::Unsubscribe)
    );
    let delivery = book.due(10).await.remove(0).id;
    assert_eq!(book.begin(delivery, &[], 10).await, Begin::Skip);
}
