//! Fetches a small page over HTTPS from addresses that are known already.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use super::dns::book::PageQuestion;

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Octets of a page at most. A policy has some hundred.
const SIZE_MAX: usize = 64 * 1_024;

/// The page's text; or why there is none.
pub(super) async fn fetch(question: &PageQuestion) -> Result<String, String> {
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
    if question.is_any_answer {
        return Ok(String::new());
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
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// What is at the bottom of an error.
fn cause(error: &(dyn Error + 'static)) -> String {
    anyhow::Chain::new(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
