//! Whom we trust: the public certificate authorities, and those of `ca_file`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// The public certificate authorities, and those of `ca_file`.
pub(super) fn roots(ca_file: Option<&Path>) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca_file {
        let read = || format!("read ca_file {}", path.display());
        for certificate in CertificateDer::pem_file_iter(path).with_context(read)? {
            roots.add(certificate.with_context(read)?).with_context(read)?;
        }
    }
    Ok(roots)
}

/// TLS that trusts these.
pub(super) fn tls_config(roots: RootCertStore) -> anyhow::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("set up TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// TLS that trusts the public certificate authorities, and those of this file.
pub fn tls(ca_file: Option<&Path>) -> anyhow::Result<Arc<ClientConfig>> {
    tls_config(roots(ca_file)?)
}
