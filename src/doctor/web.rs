//! Fetches a small page over HTTPS from addresses that are known already.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{AGE, CONTENT_TYPE, DATE};

use super::dns::book::{Page, PageQuestion};

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Octets of a page at most. A policy has some hundred.
const SIZE_MAX: usize = 64 * 1_024;

/// The page; or why there is none.
pub(super) async fn fetch(question: &PageQuestion) -> Result<Page, String> {
    // Another part of the program may have said so already.
    let _said = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let at: Vec<SocketAddr> = question.ips.iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
    let client = reqwest::Client::builder()
        .resolve_to_addrs(question.host.as_str(), &at)
        // Source: RFC 8461, 3.3: redirects are not followed.
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| cause(&error))?;
    let mut answer = client
        .get(&question.url)
        .send()
        .await
        .map_err(|error| cause(&error))?;
    let header = |name| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
    let mut fetched = Page {
        kind: header(CONTENT_TYPE),
        date_ms: header(DATE).and_then(|date| moment(&date, header(AGE).as_deref())),
        ..Page::default()
    };
    if question.is_any_answer {
        return Ok(fetched);
    }
    if !answer.status().is_success() {
        return Err(answer.status().to_string());
    }
    let mut page = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| cause(&error))? {
        page.extend_from_slice(&part);
        if page.len() > SIZE_MAX {
            return Err(format!("more than {SIZE_MAX} octets"));
        }
    }
    fetched.text = String::from_utf8_lossy(&page).into_owned();
    Ok(fetched)
}

/// What time it is for whoever answers: a page that a cache has kept is older by its age. Source: RFC 9111, 5.1.
fn moment(date: &str, age_secs: Option<&str>) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond();
    let age_secs: i64 = age_secs.map_or(Some(0), |age| age.trim().parse().ok())?;
    age_secs.checked_mul(1_000).and_then(|age| date.checked_add(age))
}

/// What is at the bottom of an error.
fn cause(error: &(dyn Error + 'static)) -> String {
    anyhow::Chain::new(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::doctor::dns::Name;

    /// What is fetched from a web server that answers this.
    async fn fetched(answer: &'static str, is_any_answer: bool) -> Result<Page, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let question = PageQuestion {
            url: format!("http://web.test:{}/logo.svg", address.port()),
            host: Name::parse("web.test").unwrap(),
            ips: vec![address.ip()],
            is_any_answer,
        };
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 2_048];
            assert!(stream.read(&mut asked).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        tokio::join!(fetch(&question), serve).0
    }

    #[tokio::test]
    async fn a_page_comes_with_its_type_and_the_time_of_its_server() {
        let page = fetched(
            "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 03:00:00 GMT\r\nAge: 60\r\nContent-Type: image/svg+xml\r\n\
             Content-Length: 4\r\nConnection: close\r\n\r\n<svg",
            false,
        );
        let wanted = Page {
            text: "<svg".to_owned(),
            kind: Some("image/svg+xml".to_owned()),
            date_ms: Some(1_795_489_260_000),
        };
        assert_eq!(page.await, Ok(wanted));
        let missing =
            "HTTP/1.1 404 Not Found\r\nDate: then\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert_eq!(fetched(missing, true).await, Ok(Page::default()));
        assert!(
            fetched(missing, false)
                .await
                .is_err_and(|why| why.contains("404"))
        );
        let moved = "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert!(fetched(moved, false).await.is_err_and(|why| why.contains("301")));
    }
}
