//! The server's certificate: made on the spot, or from files.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

/// When the connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Never.
    #[default]
    None,
    /// When the client asks with STARTTLS (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314), as on port 465.
    Implicit,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// A new one for `localhost`, `127.0.0.1` and `::1` that signs itself.
    #[default]
    SelfSigned,
    /// PEM files: the chain with the server's own certificate first, and its key.
    Files {
        /// The chain.
        chain: PathBuf,
        /// The key.
        key: PathBuf,
    },
}

/// A certificate that is ready for use.
pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    pub(super) pem: String,
}

impl Identity {
    pub(super) fn load(certificate: &Certificate) -> anyhow::Result<Self> {
        match certificate {
            Certificate::SelfSigned => Self::self_signed(),
            Certificate::Files { chain, key } => {
                let pem = std::fs::read_to_string(chain)
                    .with_context(|| format!("read certificate {}", chain.display()))?;
                let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .with_context(|| format!("read certificate {}", chain.display()))?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .with_context(|| format!("read private key {}", key.display()))?;
                Self::new(pem, certificates, key)
            }
        }
    }

    fn self_signed() -> anyhow::Result<Self> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).context("make a certificate")?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .map_err(anyhow::Error::msg)
            .context("make a key")?;
        Self::new(made.cert.pem(), vec![made.cert.der().clone()], key)
    }

    fn new(
        pem: String,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> anyhow::Result<Self> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .context("use the certificate")?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            pem,
        })
    }
}
