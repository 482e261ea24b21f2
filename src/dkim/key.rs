//! Private keys as PEM files have them, and the records that receivers check their signatures with.

use std::fmt;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

use crate::text;
use crate::words::Text;

/// Bits of an RSA key that is safe, and whose record fits everywhere; we sign with none that is shorter: receivers may take
/// less, nobody should. Source: RFC 8301, 3.2.
pub const BITS: u16 = 2_048;
/// Bits of an RSA key at most. Source: ring signs with no longer ones; receivers need not check them (RFC 8301, 3.2).
pub const BITS_MAX: u16 = 4_096;
/// Bits of an RSA key are so many, or twice, or three times as many. Source: ring.
pub const BITS_STEP: u16 = 512;
/// What an Ed25519 key is called in PKCS #8. Source: RFC 8410, 3.
const OID_ED25519: [u8; 5] = [0x06, 0x03, 0x2B, 0x65, 0x70];
/// What an RSA key is called in PKCS #8. Source: RFC 8017, A.1.
const OID_RSA: [u8; 11] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];

/// How mails are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// What every receiver checks.
    Rsa,
    /// Short keys and signatures, which not every receiver checks yet.
    Ed25519,
}

impl Algorithm {
    /// Its name in `k=` of a record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// Why a text is no key to sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// Nothing of it is PEM.
    NotPem,
    /// It is locked with a password.
    Encrypted,
    /// It is the other half.
    Public,
    /// A key of another kind.
    WrongKind,
    /// Something is wrong with the numbers.
    Damaged {
        /// What it should be.
        kind: Algorithm,
    },
    /// An RSA key that is too short.
    Short,
    /// An RSA key that is too long.
    Long,
    /// An RSA key of a length that nobody uses.
    OddLength,
}

impl KeyFault {
    /// The same, in every language.
    pub fn said(&self) -> Text {
        match self {
            Self::NotPem => text!("there is no private key in PEM in it"),
            Self::Encrypted => text!("the key is locked with a password, and nobody is there to type it"),
            Self::Public => text!("this is the public key, not the private one"),
            Self::WrongKind => text!("the key is neither RSA nor Ed25519, which are what DKIM knows"),
            Self::Damaged { kind } => text!("the {kind} key is damaged", kind = kind.name()),
            Self::Short => text!(
                "an RSA key of fewer than {bits} bits is not safe to sign with",
                bits = BITS
            ),
            Self::Long => text!(
                "an RSA key of more than {bits} bits is too long: receivers need not check its signatures",
                bits = BITS_MAX
            ),
            Self::OddLength => text!(
                "an RSA key whose bits are no multiple of {step} cannot be signed with",
                step = BITS_STEP
            ),
        }
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.said().fmt(f)
    }
}

impl std::error::Error for KeyFault {}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A private key to sign with. It is never shown.
pub struct Key {
    pair: Pair,
    /// The public half as a record has it.
    public: Vec<u8>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.algorithm().name())
    }
}

impl Key {
    /// Reads a key in PEM: PKCS #8, or PKCS #1 as older programs write it.
    pub fn from_pem(text: &str) -> Result<Self, KeyFault> {
        if text.contains("ENCRYPTED") {
            return Err(KeyFault::Encrypted);
        }
        match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs1(der)) => rsa(RsaKeyPair::from_der(der.secret_pkcs1_der())),
            Ok(PrivateKeyDer::Pkcs8(der)) => Self::from_pkcs8(der.secret_pkcs8_der()),
            Ok(_) => Err(KeyFault::WrongKind),
            Err(_) if text.contains("PUBLIC KEY-----") => Err(KeyFault::Public),
            Err(_) => Err(KeyFault::NotPem),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyFault> {
        // The name of the kind stands at the beginning; what follows may hold any octets.
        let head = der.get(..der.len().min(32)).unwrap_or_default();
        let names = |oid: &[u8]| head.windows(oid.len()).any(|window| window == oid);
        if names(&OID_RSA) {
            return rsa(RsaKeyPair::from_pkcs8(der));
        }
        if names(&OID_ED25519) {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der);
            let pair = pair.map_err(|_damaged| KeyFault::Damaged {
                kind: Algorithm::Ed25519,
            })?;
            return Ok(Self {
                public: pair.public_key().as_ref().to_vec(),
                pair: Pair::Ed25519(Box::new(pair)),
            });
        }
        Err(KeyFault::WrongKind)
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        match &self.pair {
            Pair::Rsa(_) => Algorithm::Rsa,
            Pair::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The public half as a record has it: of RSA the key with its kind, of Ed25519 the bare 32 octets. Source: RFC 6376,
    /// 3.6.1; RFC 8463, 4.2.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The record that receivers check its signatures with.
    pub fn record(&self) -> String {
        let key = BASE64_STANDARD.encode(&self.public);
        format!("v=DKIM1; k={}; p={key}", self.algorithm().name())
    }

    /// Is this the key of a record's `p=`, with its kind or without?
    pub fn is_published_as(&self, octets: &[u8]) -> bool {
        let bare = match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        };
        octets == bare || octets == self.public()
    }

    /// Signs these octets. With the same key they always get the same signature.
    pub(super) fn sign(&self, octets: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // The random numbers hide from others how long it takes; they do not change the signature.
                let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature);
                signed.ok().map(|()| signature)
            }
            // The digest is what is signed. Source: RFC 8463, 3.
            Pair::Ed25519(pair) => Some(pair.sign(&Sha256::digest(octets)).as_ref().to_vec()),
        }
    }

    /// Makes a new key, as PEM (PKCS #8). An RSA key of 2048 bits takes some tenths of a second.
    pub fn generate(algorithm: Algorithm, bits: u16) -> anyhow::Result<String> {
        let failed = "no key could be made";
        match algorithm {
            Algorithm::Rsa => {
                let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, usize::from(bits));
                let pem = key.context(failed)?.to_pkcs8_pem(LineEnding::LF);
                Ok(pem.context(failed)?.to_string())
            }
            Algorithm::Ed25519 => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).context(failed)?;
                // PKCS #8 without the public half, which OpenSSL and others read. Source: RFC 8410, 7.
                let mut der = vec![0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05];
                der.extend(OID_ED25519);
                der.extend([0x04, 0x22, 0x04, 0x20]);
                der.extend(seed);
                Ok(pem(&der))
            }
        }
    }
}

fn rsa(pair: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Key, KeyFault> {
    let damaged = KeyFault::Damaged { kind: Algorithm::Rsa };
    let pair = pair.map_err(|rejected| match rejected.to_string().as_str() {
        "TooSmall" => KeyFault::Short,
        "TooLarge" => KeyFault::Long,
        "PrivateModulusLenNotMultipleOf512Bits" => KeyFault::OddLength,
        _ => damaged.clone(),
    })?;
    let bare = rsa::RsaPublicKey::from_pkcs1_der(pair.public_key().as_ref());
    let public = bare.ok().and_then(|key| key.to_public_key_der().ok());
    Ok(Key {
        public: public.ok_or(damaged)?.into_vec(),
        pair: Pair::Rsa(Box::new(pair)),
    })
}

/// Lines of 64, as RFC 7468 has them. It is short enough for one.
fn pem(der: &[u8]) -> String {
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(der)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_can_be_read_and_has_a_record() {
        let text = Key::generate(Algorithm::Ed25519, BITS).unwrap();
        let key = Key::from_pem(&text).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Ed25519);
        assert_eq!(key.public().len(), 32);
        let record = key.record();
        assert!(record.starts_with("v=DKIM1; k=ed25519; p="), "{record}");
        assert!(key.is_published_as(key.public()));
        let other = Key::from_pem(&Key::generate(Algorithm::Ed25519, BITS).unwrap()).unwrap();
        assert!(!other.is_published_as(key.public()));
    }

    #[test]
    fn an_rsa_key_is_published_with_its_kind() {
        let text = Key::generate(Algorithm::Rsa, BITS).unwrap();
        let key = Key::from_pem(&text).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Rsa);
        assert!(
            key.record()
                .starts_with("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A")
        );
        assert_eq!(format!("{key:?}"), "Key(rsa)");
    }

    #[test]
    fn what_is_no_key_to_sign_with_says_why() {
        let p256 = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
        for (text, fault) in [
            ("", KeyFault::NotPem),
            (
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                KeyFault::Public,
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                KeyFault::Encrypted,
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
                KeyFault::WrongKind,
            ),
            (p256, KeyFault::WrongKind),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
                KeyFault::Damaged { kind: Algorithm::Rsa },
            ),
        ] {
            assert_eq!(Key::from_pem(text).unwrap_err(), fault, "{text}");
        }
        let short = Key::generate(Algorithm::Rsa, 1_024).unwrap();
        assert_eq!(Key::from_pem(&short).unwrap_err(), KeyFault::Short);
    }

    /// A key of this length as far as its modulus says: the other numbers are not looked at any more.
    fn of_length(bits: usize) -> String {
        let part = |tag: u8, octets: &[u8]| {
            let length = octets.len().to_be_bytes();
            match octets.len() {
                0..128 => [&[tag], &length[7..], octets].concat(),
                _ => [&[tag, 0x82], &length[6..], octets].concat(),
            }
        };
        let modulus = [&[0], vec![0xC1; bits / 8].as_slice()].concat();
        let half = vec![0x41; bits / 16];
        let first = [vec![0], modulus, vec![1, 0, 1]];
        let rest = vec![half; 6];
        let numbers: Vec<u8> = first
            .iter()
            .chain(&rest)
            .flat_map(|number| part(0x02, number))
            .collect();
        let der = part(0x30, &numbers);
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der)
        )
    }

    #[test]
    fn a_key_that_is_too_long_is_not_called_damaged() {
        assert_eq!(Key::from_pem(&of_length(8_192)).unwrap_err(), KeyFault::Long);
    }
}
