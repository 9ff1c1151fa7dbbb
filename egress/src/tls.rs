//! Whom a client trusts, and why it doesn't trust others.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::options::ClientError;

/// A TLS configuration that trusts the public roots and `extra`. Each call
/// makes one with its own session cache: a resumed session would tell a server
/// that two tenants share a machine.
pub(crate) fn client_config(extra: &[Vec<u8>]) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for (index, pem) in extra.iter().enumerate() {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| ClientError::RootNotPem {
                index,
                reason: error.to_string(),
            })?;
            roots
                .add(certificate)
                .map_err(|source| ClientError::RootUnusable { index, source })?;
            found = true;
        }
        if !found {
            return Err(ClientError::RootEmpty { index });
        }
    }
    // The provider is named here so that nothing depends on which crate set
    // the process's default first.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ClientError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Why TLS failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// No trusted root signed it.
    #[error("the certificate is not signed by a trusted authority")]
    UnknownIssuer,
    /// Its time is over.
    #[error("the certificate has expired")]
    Expired,
    /// Its time hasn't come.
    #[error("the certificate is not valid yet")]
    NotValidYet,
    /// It is another host's.
    #[error("the certificate is not for this host")]
    WrongHost,
    /// The host's name can't be in a certificate.
    #[error("the host name can't be in a certificate")]
    UnfitName,
    /// What answers isn't TLS, often plain HTTP on this port.
    #[error("the server doesn't speak TLS on this port")]
    NotTls,
    /// The server closed the connection during the handshake.
    #[error("the server closed the connection during the handshake")]
    Closed,
    /// Anything else.
    #[error("{0}")]
    Other(rustls::Error),
}

impl From<rustls::Error> for TlsFault {
    fn from(error: rustls::Error) -> TlsFault {
        use rustls::{CertificateError as Bad, Error as Tls, InvalidMessage};
        match error {
            Tls::InvalidCertificate(Bad::UnknownIssuer) => TlsFault::UnknownIssuer,
            Tls::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => TlsFault::Expired,
            Tls::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
                TlsFault::NotValidYet
            }
            Tls::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
                TlsFault::WrongHost
            }
            Tls::InvalidMessage(InvalidMessage::InvalidContentType) => TlsFault::NotTls,
            other => TlsFault::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(pem: &str) -> String {
        client_config(&[pem.as_bytes().to_vec()])
            .expect_err("not a certificate")
            .to_string()
    }

    #[test]
    fn a_bad_root_is_named() {
        assert_eq!(
            fault(""),
            "extra_roots[0]: no certificate in it; a PEM file with \"BEGIN CERTIFICATE\" is wanted"
        );
        assert!(
            fault("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n")
                .starts_with("extra_roots[0]: not PEM: ")
        );
        assert!(
            fault("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
                .starts_with("extra_roots[0]: unusable certificate: ")
        );
    }
}
