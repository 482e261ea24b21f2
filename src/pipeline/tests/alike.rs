//! Mails that say nearly the same, where the provider counts those.

use super::*;

const MINUTE: i64 = 60_000;
const BODY: &str = "<p>Dear {{email}},</p>{{#if lamps}}<p>Our autumn catalogue is out: forty new lamps, all of them made \
    to order by the people who blow our glass and turn our wood, and until Sunday we ship them free of charge to every \
    country of Europe and to Norway, Switzerland and the United Kingdom as well. Have a look at them, and tell us which \
    one you like best: there is a discount for everybody who writes, and the most beautiful letter wins the lamp itself.</p>{{else}}<p>Your membership \
    ends this month. Whoever renews it before the first of December keeps last year's price, and gets the printed \
    almanac with all talks of the summer school, the programme of the concerts in spring, and two tickets for the museum. \
    Nothing has to be signed: it is enough to pay as in the years before. Should you want to leave us instead, a short \
    note to the office will do, and we thank you for the time that you have spent with us and our work.</p>{{/if}}";

/// Campaigns of so many people each, every other of whom gets another mail when there are `kinds`.
async fn world(account: &str, campaigns: &[(&str, u32)], kinds: u32) -> World {
    let world = World::new(account, &[], campaigns).await;
    std::fs::write(world.path().join("body.html.hbs"), BODY).unwrap();
    for (name, people) in campaigns {
        let rows = (0..*people).map(|n| {
            let lamps = if n % kinds == 0 { "yes" } else { "" };
            format!("{name}{n}@example.com,{lamps}")
        });
        let lines: Vec<String> = std::iter::once("email,lamps".to_owned()).chain(rows).collect();
        std::fs::write(world.path().join(format!("{name}.csv")), lines.join("\n")).unwrap();
    }
    world
}

/// The most mails to whom `which` holds that any 60 seconds hold, and how long all took.
fn most_a_minute(world: &World, which: impl Fn(usize) -> bool) -> (usize, i64) {
    let number = |to: &str| to.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
    let accepted = world.accepted();
    let chosen = accepted.iter().filter(|(_, to)| which(number(to)));
    let mut times: Vec<i64> = chosen.map(|(at, _)| *at).collect();
    times.sort_unstable();
    let within = |first: &i64| {
        times
            .iter()
            .filter(|at| (0..MINUTE).contains(&(**at - first)))
            .count()
    };
    let took = times.last().unwrap() - times.first().unwrap();
    (times.iter().map(within).max().unwrap(), took)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_minute_holds_more_alike_mails_than_the_provider_takes_whatever_campaign_they_are_of() {
    let account = "rates = [\"60/min\"]\nsimilar_per_minute = 20\nconnections = 2";
    let world = world(account, &[("spring", 70), ("again", 30)], 1).await;
    assert!(matches!(
        world.send("spring", Patience::End).await.ended,
        Ended::Done
    ));
    assert!(matches!(
        world.send("again", Patience::End).await.ended,
        Ended::Done
    ));
    let (most, took) = most_a_minute(&world, |_| true);
    assert_eq!((world.accepted().len(), most), (100, 20));
    // What the limit allows in five minutes, in as long divided by 0.9 at most.
    assert!(took * 9 <= 5 * MINUTE * 10, "{took} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_kinds_of_mail_are_counted_each_by_itself() {
    let account = "rates = [\"60/min\"]\nsimilar_per_minute = 20\nconnections = 2";
    let world = world(account, &[("spring", 120)], 2).await;
    assert!(matches!(
        world.send("spring", Patience::End).await.ended,
        Ended::Done
    ));
    let (lamps, _) = most_a_minute(&world, |n| n % 2 == 0);
    let (almanacs, took) = most_a_minute(&world, |n| n % 2 == 1);
    assert_eq!((lamps, almanacs), (20, 20));
    assert!(took * 9 <= 3 * MINUTE * 10, "{took} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_counts_them_unless_the_provider_or_the_user_says_so() {
    for also in ["", "similar_per_minute = 0\n"] {
        let account = format!("{also}rates = [\"60/min\"]");
        let world = world(&account, &[("spring", 60)], 1).await;
        assert!(matches!(
            world.send("spring", Patience::End).await.ended,
            Ended::Done
        ));
        assert!(most_a_minute(&world, |_| true).0 > 20);
    }
}
