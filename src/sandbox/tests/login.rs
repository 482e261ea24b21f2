//! Each way to log in, right and wrong.

use super::*;
use crate::sandbox::{Credentials, LoginPrompts};

async fn locked(login_prompts: LoginPrompts) -> Running {
    let credentials = Some(Credentials {
        user: "anna".to_owned(),
        password: "secret".to_owned(),
    });
    start(Config {
        credentials,
        login_prompts,
        ..Config::default()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn mail_before_login_is_answered_530() {
    let server = locked(LoginPrompts::Capitals).await;
    let mut client = Client::hello(&server).await;
    assert_eq!(client.mail("b@example.com").await, "530 5.7.0 log in first");
    assert!(
        client
            .ask(&format!("AUTH PLAIN {}", base64("\0anna\0secret")))
            .await
            .starts_with("235 ")
    );
    assert!(client.mail("b@example.com").await.starts_with("250 "));
    assert!(client.ask("AUTH PLAIN").await.starts_with("503 "));
}

#[tokio::test]
async fn every_mechanism_takes_the_right_password_and_refuses_a_wrong_one() {
    for (password, code) in [("secret", "235"), ("wrong", "535")] {
        let server = locked(LoginPrompts::Capitals).await;
        let plain = base64(&format!("\0anna\0{password}"));
        let (user, pass) = (base64("anna"), base64(password));
        let dialogues = [
            (vec![format!("AUTH PLAIN {plain}")], vec![]),
            (vec!["AUTH PLAIN".to_owned(), plain], vec!["334"]),
            (
                vec!["AUTH LOGIN".to_owned(), user.clone(), pass.clone()],
                vec!["334", "334"],
            ),
            (vec![format!("AUTH LOGIN {user}"), pass], vec!["334"]),
        ];
        let count = dialogues.len() as u64;
        for (lines, mut codes) in dialogues {
            codes.push(code);
            let mut client = Client::hello(&server).await;
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(client.codes(&lines).await, codes, "{lines:?}");
        }
        let counts = server.counts();
        let (ok, refused) = if code == "235" { (count, 0) } else { (0, count) };
        assert_eq!((counts.logins_ok, counts.logins_refused), (ok, refused));
    }
}

#[tokio::test]
async fn a_token_is_taken_and_a_stale_one_is_challenged_first() {
    let server = locked(LoginPrompts::Capitals).await;
    let token = |token: &str| base64(&format!("user=anna\u{1}auth=Bearer {token}\u{1}\u{1}"));
    let mut client = Client::hello(&server).await;
    assert_eq!(
        client
            .codes(&[&format!("AUTH XOAUTH2 {}", token("stale")), ""])
            .await,
        ["334", "535"]
    );
    assert_eq!(
        client.codes(&["AUTH XOAUTH2", &token("secret")]).await,
        ["334", "235"]
    );
    let counts = server.counts();
    assert_eq!((counts.logins_ok, counts.logins_refused), (1, 1));
}

#[tokio::test]
async fn the_prompts_of_login_can_be_in_lower_case() {
    let server = locked(LoginPrompts::LowerCase).await;
    let mut client = Client::hello(&server).await;
    assert_eq!(client.ask("AUTH LOGIN").await, "334 dXNlcm5hbWU6");
    assert_eq!(client.ask(&base64("anna")).await, "334 cGFzc3dvcmQ6");
    assert_eq!(
        client.codes(&["*", "AUTH PLAIN !!", "AUTH CRAM-MD5"]).await,
        ["501", "501", "504"]
    );
}
