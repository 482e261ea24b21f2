//! Looks at a port of a server without logging in: TCP, greeting, EHLO, TLS, certificate, what is offered.
//!
//! A certificate that cannot be trusted does not end the look, so that more can be said of it; nothing secret is sent.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme, crypto,
};
use x509_parser::extensions::GeneralName;

use super::link::Link;
use super::offers::Capabilities;
use super::session::{Target, Timeouts, connect, expect, literal, protect, say_hello};
use super::trust::roots;
use crate::campaign::{Account, Tls};
use crate::mail::{Fault, Stage};
use crate::replies::Judge;
use crate::text;
use crate::words::Text;

/// A look is shorter than a delivery.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(6),
    command: Duration::from_secs(10),
    data: Duration::from_secs(10),
    end_of_data: Duration::from_secs(10),
};

/// How far a look came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reached {
    /// The server's name has no address.
    #[default]
    Nowhere,
    /// Nobody takes connections there, or a network keeps us from it.
    Closed,
    /// We were connected.
    Open,
}

/// What was seen of a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The port.
    pub port: u16,
    /// Is TLS spoken from the first byte?
    pub is_implicit: bool,
    /// Could we connect?
    pub reached: Reached,
    /// Our end of the connection.
    pub local: Option<IpAddr>,
    /// The first words of the server.
    pub greeting: Option<String>,
    /// What it offers: after TLS, where there is TLS.
    pub offers: Option<Capabilities>,
    /// Does it offer STARTTLS?
    pub starttls: bool,
    /// What protects the connection.
    pub protection: Option<Protection>,
    /// What went wrong, where something did.
    pub fault: Option<Text>,
}

/// What protects a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// `TLSv1.3`, …
    pub version: String,
    /// Until when the certificate is valid, in ms since the epoch.
    pub until_ms: Option<i64>,
    /// The names it is for.
    pub names: Vec<String>,
    /// Why it cannot be trusted, if so.
    pub distrust: Option<Text>,
}

/// Looks at a port of an account's server.
pub async fn look(account: &Account, port: u16, tls: Tls) -> anyhow::Result<Seen> {
    let witness = Arc::new(Witness::new(account)?);
    let mut target = Target::new(account, None)?;
    target.port = port;
    target.tls = tls;
    target.timeouts = TIMEOUTS;
    target.tls_config = config(Arc::clone(&witness))?;
    let mut seen = Seen {
        port,
        is_implicit: tls == Tls::Tls,
        ..Seen::default()
    };
    if let Err(fault) = go(&target, &witness, &mut seen).await {
        seen.fault = Some(fault.said());
    }
    Ok(seen)
}

async fn go(target: &Target, witness: &Witness, seen: &mut Seen) -> Result<(), Fault> {
    if has_address(target).await {
        seen.reached = Reached::Closed;
    }
    let (mut link, local) = connect(target, None).await?;
    seen.reached = Reached::Open;
    seen.local = local;
    if target.tls == Tls::Tls {
        link = protect(link, target).await?;
        seen.protection = protection(&link, witness);
    }
    let greeting = link
        .reply(TIMEOUTS.command)
        .await
        .map_err(|lost| super::session::gone(Stage::Hello, &lost))?;
    seen.greeting = Some(greeting.to_string());
    if !greeting.is_positive() {
        return Err(super::session::refused(&Judge::default(), Stage::Hello, greeting));
    }
    let hello = target.hello.clone().unwrap_or_else(|| literal(local));
    let offers = say_hello(&mut link, &hello, &TIMEOUTS, &Judge::default()).await?;
    seen.starttls = offers.starttls;
    seen.offers = Some(offers);
    if seen.starttls && target.tls != Tls::Tls {
        expect(&mut link, "STARTTLS", &TIMEOUTS, &Judge::default()).await?;
        link = protect(link, target).await?;
        seen.protection = protection(&link, witness);
        seen.offers = Some(say_hello(&mut link, &hello, &TIMEOUTS, &Judge::default()).await?);
    }
    link.close("QUIT", Duration::from_secs(1)).await;
    Ok(())
}

/// Has the server's name an address? Not that nobody says so in time.
async fn has_address(target: &Target) -> bool {
    let looking = tokio::net::lookup_host((target.host.as_str(), target.port));
    let found = tokio::time::timeout(TIMEOUTS.connect, looking).await;
    found.is_err() || found.is_ok_and(|found| found.is_ok_and(|mut addresses| addresses.next().is_some()))
}

fn protection(link: &Link, witness: &Witness) -> Option<Protection> {
    let tls = link.protection()?;
    let mut found = Protection {
        version: tls
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or_default()
            .replace('_', "."),
        distrust: witness.distrust(),
        ..Protection::default()
    };
    let certificate = tls.peer_certificates().and_then(<[_]>::first);
    let read = certificate.and_then(|der| x509_parser::parse_x509_certificate(der).ok());
    if let Some((_, certificate)) = read {
        found.until_ms = Some(certificate.validity().not_after.timestamp().saturating_mul(1_000));
        if let Ok(Some(names)) = certificate.subject_alternative_name() {
            let names = names.value.general_names.iter();
            found.names = names
                .filter_map(|name| match name {
                    GeneralName::DNSName(name) => Some((*name).to_owned()),
                    _ => None,
                })
                .collect();
        }
    }
    Some(found)
}

fn config(witness: Arc<Witness>) -> anyhow::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("set up TLS")?
        .dangerous()
        .with_custom_certificate_verifier(witness)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Judges a certificate as a session would, keeps the verdict, and lets the handshake go on.
#[derive(Debug)]
struct Witness {
    judge: Arc<WebPkiServerVerifier>,
    verdict: Mutex<Option<Text>>,
}

impl Witness {
    fn new(account: &Account) -> anyhow::Result<Self> {
        let provider = Arc::new(crypto::ring::default_provider());
        let judge = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots(account.ca_file.as_deref())?),
            provider,
        )
        .build()
        .context("set up the check of certificates")?;
        Ok(Self {
            judge,
            verdict: Mutex::new(None),
        })
    }

    fn distrust(&self) -> Option<Text> {
        self.verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let judged =
            self.judge
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let verdict = judged.err().map(|error| plain(&error));
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// Why a certificate is not trusted, shortly.
fn plain(error: &TlsError) -> Text {
    match error {
        TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            text!("it has expired")
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => text!("it is for another name"),
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            text!("whoever signed it is not known")
        }
        other => Text::from(other.to_string()),
    }
}
