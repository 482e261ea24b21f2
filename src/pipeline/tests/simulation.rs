//! Simulated days against a model of a provider that counts as strictly as real ones do: by minute, by day, by
//! destination; and that locks out whoever goes on knocking.

use std::collections::VecDeque;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What the provider allows.
#[derive(Clone, Copy)]
struct Limits {
    minute: usize,
    /// A calendar day in Shanghai.
    day: usize,
    /// Mails a minute to QQ.
    qq_minute: usize,
}

/// What it has seen.
#[derive(Default)]
struct Seen {
    accepted: Vec<(i64, String)>,
    /// Times of the last mails, and of the last ones to QQ.
    minute: VecDeque<i64>,
    qq: VecDeque<i64>,
    day: (i64, usize),
    /// Refusals of each kind.
    over_minute: usize,
    over_day: usize,
    over_qq: usize,
    /// When mails were refused that should not have been offered.
    offences: VecDeque<i64>,
    lockouts: usize,
}

#[derive(Clone)]
struct Provider {
    clock: Clock,
    limits: Limits,
    seen: Arc<Mutex<Seen>>,
}

impl Provider {
    async fn start(clock: Clock, limits: Limits) -> (u16, Self) {
        let provider = Self {
            clock,
            limits,
            seen: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = provider.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        (port, provider)
    }

    async fn serve(self, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut stream = BufReader::new(stream);
        let (mut line, mut to, mut is_body) = (String::new(), String::new(), false);
        stream.write_all(b"220 model\r\n").await.unwrap();
        loop {
            line.clear();
            if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
                return;
            }
            let answer = match line.trim_end() {
                "." if is_body => {
                    is_body = false;
                    self.verdict(&to)
                }
                _ if is_body => continue,
                "DATA" => {
                    is_body = true;
                    "354 go on"
                }
                "QUIT" => return,
                rcpt if rcpt.starts_with("RCPT TO:<") => {
                    to = rcpt
                        .trim_start_matches("RCPT TO:<")
                        .trim_end_matches('>')
                        .to_owned();
                    "250 ok"
                }
                _ => "250 ok",
            };
            stream
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
        }
    }

    fn verdict(&self, to: &str) -> &'static str {
        let now = self.clock.now_ms();
        let mut seen = self.seen.lock().unwrap();
        let seen = &mut *seen;
        let is_old = |at: &i64| *at <= now - MINUTE;
        while seen.minute.front().is_some_and(is_old) {
            seen.minute.pop_front();
        }
        while seen.qq.front().is_some_and(is_old) {
            seen.qq.pop_front();
        }
        while seen.offences.front().is_some_and(|at| *at <= now - 10 * MINUTE) {
            seen.offences.pop_front();
        }
        let day = (now + 8 * HOUR) / DAY;
        if seen.day.0 != day {
            seen.day = (day, 0);
        }
        let is_qq = to.ends_with("@qq.com");
        let refusal = if seen.day.1 >= self.limits.day {
            seen.over_day += 1;
            "552 Daily sending quota exceeded"
        } else if seen.minute.len() >= self.limits.minute {
            seen.over_minute += 1;
            "454 Transient reject by behaviour spamANTISPAM_BAT[1, c]: too frequently sending"
        } else if is_qq && seen.qq.len() >= self.limits.qq_minute {
            seen.over_qq += 1;
            "550 Domain frequency limited [x IP: 198.51.100.1]. https://service.mail.qq.com/detail/122/173"
        } else {
            seen.minute.push_back(now);
            seen.day.1 += 1;
            if is_qq {
                seen.qq.push_back(now);
            }
            seen.accepted.push((now, to.to_owned()));
            return "250 Data Ok: queued as freedom ###envid=1";
        };
        // Whoever goes on after a dozen refusals is shut out.
        seen.offences.push_back(now);
        if seen.offences.len() > 12 {
            seen.lockouts += 1;
        }
        refusal
    }
}

/// A world whose provider is this model, and whose list has so many people, every `qq_each`-th of them at QQ.
async fn world(account: &str, limits: Limits, people: usize, qq_each: usize) -> (World, Provider) {
    let world = World::new(account, &[], &[("spring", 1)]).await;
    let (port, provider) = Provider::start(world.clock.clone(), limits).await;
    let settings = world.path().join("mailshot.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let moved = text.replace(
        &format!("port = {}", world.server.addr().port()),
        &format!("port = {port}"),
    );
    std::fs::write(settings, moved).unwrap();
    let mut rows = vec!["email".to_owned()];
    rows.extend((0..people).map(|n| {
        let domain = if n % qq_each == 0 { "qq.com" } else { "example.com" };
        format!("p{n}@{domain}")
    }));
    std::fs::write(world.path().join("spring.csv"), rows.join("\n")).unwrap();
    (world, provider)
}

/// Runs by cron: again when the program has said so, until nothing is left. Says how long it took.
async fn send_all(world: &World) -> i64 {
    let began_ms = world.clock.now_ms();
    for _ in 0..200 {
        match world.send("spring", Patience::End).await.ended {
            Ended::Done => return world.clock.now_ms() - began_ms,
            Ended::Quota(spent) => world.clock.wait_until(spent.until_ms).await,
            Ended::Later(due_ms) | Ended::Paused(due_ms) => world.clock.wait_until(due_ms).await,
            ended => panic!("{ended:?}"),
        }
    }
    panic!("it does not come to an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_are_known_are_used_up_and_never_exceeded_for_days() {
    let limits = Limits {
        minute: 20,
        day: 600,
        qq_minute: 6,
    };
    let account = "rates = [\"20/min\", \"600/day\"]\nday_resets = \"Asia/Shanghai\"\nconnections = 4\n\
                   destinations = { tencent = [\"6/min\"] }";
    let (world, provider) = world(account, limits, 2_400, 2).await;
    send_all(&world).await;
    let seen = provider.seen.lock().unwrap();
    assert_eq!(
        (seen.over_minute, seen.over_day, seen.over_qq, seen.lockouts),
        (0, 0, 0, 0)
    );
    assert_eq!(seen.accepted.len(), 2_400);
    assert_nobody_twice(&seen.accepted);
    // Four days' quotas, in the fewest calendar days that hold them: 0.9 of each was used at least.
    let mut days: BTreeMap<i64, usize> = BTreeMap::new();
    for (at, _) in &seen.accepted {
        *days.entry((at + 8 * HOUR) / DAY).or_default() += 1;
    }
    let all_but_the_last = days.len() - 1;
    assert!(
        days.values().take(all_but_the_last).all(|sent| *sent >= 540),
        "{days:?}"
    );
    assert!(days.len() <= 5, "{days:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_slower_than_the_others_holds_nobody_else_up() {
    let limits = Limits {
        minute: 60,
        day: 100_000,
        qq_minute: 10,
    };
    let account = "rates = [\"60/min\"]\nconnections = 4\ndestinations = { tencent = [\"10/min\"] }";
    // 600 to QQ take an hour, 1,800 others half of one at what is left of the account's rate.
    let (world, provider) = world(account, limits, 2_400, 4).await;
    let took_ms = send_all(&world).await;
    let seen = provider.seen.lock().unwrap();
    assert_eq!((seen.over_minute, seen.over_qq, seen.lockouts), (0, 0, 0));
    assert_eq!(seen.accepted.len(), 2_400);
    assert!(
        took_ms * 9 <= HOUR * 10,
        "{} minutes for what takes an hour",
        took_ms / MINUTE
    );
    let others = seen.accepted.iter().filter(|(_, to)| !to.ends_with("@qq.com"));
    let last = others.map(|(at, _)| *at).max().unwrap() - seen.accepted[0].0;
    assert!(
        last < 45 * MINUTE,
        "the others were through after {} minutes",
        last / MINUTE
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_nobody_knew_are_learned_without_ever_being_locked_out() {
    let limits = Limits {
        minute: 30,
        day: 100_000,
        qq_minute: 5,
    };
    let account = "rates = [\"60/min\"]\nconnections = 4";
    let (world, provider) = world(account, limits, 6_000, 10).await;
    let took_ms = send_all(&world).await;
    let seen = provider.seen.lock().unwrap();
    assert_eq!(seen.lockouts, 0);
    assert_eq!(seen.accepted.len(), 6_000);
    assert_nobody_twice(&seen.accepted);
    // 6,000 at 30 a minute take 200 minutes; looking for a limit that nobody tells costs time, and how much is chance.
    assert!(took_ms < DAY, "{} minutes", took_ms / MINUTE);
    assert!(
        seen.over_minute + seen.over_qq < 60,
        "{} {}",
        seen.over_minute,
        seen.over_qq
    );
    println!(
        "{} minutes, {} {}",
        took_ms / MINUTE,
        seen.over_minute,
        seen.over_qq
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_shorter_than_was_thought_stops_the_account_until_it_is_over() {
    let limits = Limits {
        minute: 100,
        day: 300,
        qq_minute: 100,
    };
    let account = "rates = [\"60/min\", \"1000/day\"]\nday_resets = \"Asia/Shanghai\"\nconnections = 3";
    let (world, provider) = world(account, limits, 700, 1_000).await;
    send_all(&world).await;
    let seen = provider.seen.lock().unwrap();
    assert_eq!((seen.accepted.len(), seen.lockouts), (700, 0));
    assert!(
        seen.over_day <= 2 * 3,
        "once a day for each connection: {}",
        seen.over_day
    );
}
