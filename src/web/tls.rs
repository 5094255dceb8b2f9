//! TLS with a certificate and a key from files, read anew when they change.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

/// A certificate in use. Cloning is cheap; all clones change together.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    loaded: Arc<ArcSwap<Loaded>>,
}

struct Loaded {
    config: Arc<ServerConfig>,
    digest: [u8; 32],
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({})", self.certificate.display())
    }
}

impl Tls {
    /// Reads a certificate with its chain and its private key, both PEM.
    ///
    /// # Errors
    /// A sentence: a file that cannot be read or is no PEM, a key that others can read, a key of another certificate.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, String> {
        let loaded = load(certificate, key)?;
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), loaded: Arc::new(ArcSwap::from_pointee(loaded)) })
    }

    /// Reads the files again; new connections get what they hold now. Gives whether they had changed.
    ///
    /// # Errors
    /// As [`Tls::open`]; the former certificate stays.
    pub fn reload(&self) -> Result<bool, String> {
        let loaded = load(&self.certificate, &self.key)?;
        if loaded.digest == self.loaded.load().digest {
            return Ok(false);
        }
        self.loaded.store(Arc::new(loaded));
        Ok(true)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.loaded.load().config.clone())
    }
}

fn load(certificate: &Path, key: &Path) -> Result<Loaded, String> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mode = std::fs::metadata(key).map_err(|error| unreadable(key, &error))?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(format!("{} can be read by everyone; `chmod 600` it", key.display()));
    }
    let chain_pem = std::fs::read(certificate).map_err(|error| unreadable(certificate, &error))?;
    let key_pem = std::fs::read(key).map_err(|error| unreadable(key, &error))?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&chain_pem).collect::<Result<_, _>>().map_err(|error| unreadable(certificate, &error))?;
    if chain.is_empty() {
        return Err(format!("{} holds no certificate", certificate.display()));
    }
    let private = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|error| unreadable(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| format!("certificate and key do not fit: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let digest = Sha256::new().chain_update(&chain_pem).chain_update([0]).chain_update(&key_pem).finalize().into();
    Ok(Loaded { config: Arc::new(config), digest })
}
