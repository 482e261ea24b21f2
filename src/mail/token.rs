//! The names a delivery has outside: its Message-ID, and the signed token in its unsubscribe link.
//!
//! Neither contains the address. The tag derives from campaign and recipient, so that a resend carries the same
//! Message-ID and many mailboxes drop the second copy.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Address, Volume};

const TAG_LEN: usize = 16;
const MAC_LEN: usize = 16;
/// The first byte of a token, so that its form can change later.
const TOKEN_VERSION: u8 = 1;
/// The first byte of what takes a wish back.
const UNDO_VERSION: u8 = 2;

/// Names one delivery: 128 bits of a digest over campaign and recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryTag([u8; TAG_LEN]);

impl DeliveryTag {
    /// Derives the tag of a mail to `address` in the campaign that the ledger knows as `campaign_uid`.
    pub fn derive(campaign_uid: &str, address: &Address, volume: Volume) -> Self {
        let mut digest = Sha256::new();
        digest.update(campaign_uid.as_bytes());
        digest.update([0]);
        digest.update(address.key().as_bytes());
        volume.mark(&mut digest);
        let mut tag = [0; TAG_LEN];
        tag.iter_mut()
            .zip(digest.finalize())
            .for_each(|(to, from)| *to = from);
        Self(tag)
    }

    /// The tag as 32 hexadecimal digits.
    pub fn hex(self) -> String {
        hex(&self.0)
    }

    /// Eight of its octets, for an index.
    pub fn short(self) -> i64 {
        let mut octets = [0; 8];
        octets.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        i64::from_be_bytes(octets)
    }

    /// The tag of a Message-ID of ours, without angle brackets; none when it has none.
    pub fn of_message_id(id: &str) -> Option<Self> {
        let (hex, _domain) = id.split_once('@')?;
        let digits = hex.as_bytes();
        if digits.len() != TAG_LEN * 2 {
            return None;
        }
        let mut tag = [0; TAG_LEN];
        for (octet, pair) in tag.iter_mut().zip(digits.chunks(2)) {
            *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(tag))
    }

    /// The Message-ID, without angle brackets. Source: RFC 5322, 3.6.4.
    pub fn message_id(self, domain: &str) -> String {
        format!("{}@{domain}", self.hex())
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The workspace's secret that signs unsubscribe links. Made by `init`, kept in `key_file`.
///
/// It is kept as the state of an HMAC that has read it: reading it again would double the cost of a token.
#[derive(Clone)]
pub struct UnsubscribeKey(Hmac<Sha256>);

impl std::fmt::Debug for UnsubscribeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnsubscribeKey(…)")
    }
}

impl UnsubscribeKey {
    /// Characters a key file must hold at least: 128 bits as hexadecimal digits.
    pub const TEXT_MIN: usize = 32;

    /// Characters of a token.
    pub const TOKEN_LENGTH: usize = 44;

    /// Takes the text of a key file; none when it is too short to be a secret.
    pub fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        // An HMAC key may have any length (RFC 2104, 3).
        let mac = || Hmac::new_from_slice(text.as_bytes()).ok();
        (text.len() >= Self::TEXT_MIN).then(mac).flatten().map(Self)
    }

    /// A new key as text, from 32 random bytes.
    pub fn generate() -> Result<String, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(hex(&bytes))
    }

    /// Signs a tag: 44 characters that are safe in a URL and in a subject.
    pub fn sign(&self, tag: DeliveryTag) -> String {
        let mut token = Vec::with_capacity(1 + TAG_LEN + MAC_LEN);
        token.push(TOKEN_VERSION);
        token.extend(tag.0);
        token.extend(self.mac(tag));
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    fn mac(&self, tag: DeliveryTag) -> [u8; MAC_LEN] {
        self.mac_of(&[&[TOKEN_VERSION], &tag.0])
    }

    fn mac_of(&self, pieces: &[&[u8]]) -> [u8; MAC_LEN] {
        let mut out = [0; MAC_LEN];
        let mut mac = self.0.clone();
        for piece in pieces {
            mac.update(piece);
        }
        out.iter_mut()
            .zip(mac.finalize().into_bytes())
            .for_each(|(to, from)| *to = from);
        out
    }
}

/// All keys of a workspace: one signs, and the tokens of those before it stay valid.
#[derive(Clone, Debug)]
pub struct UnsubscribeKeys {
    current: UnsubscribeKey,
    old: Vec<UnsubscribeKey>,
}

/// A wish that was granted a moment ago, and may be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The mail whose link it was.
    pub tag: DeliveryTag,
    /// When it was granted, in ms since the epoch.
    pub at_ms: i64,
    /// Is it about the mail's list alone?
    pub is_list: bool,
}

impl UnsubscribeKeys {
    /// The key that signs, and those before it.
    pub fn new(current: UnsubscribeKey, old: Vec<UnsubscribeKey>) -> Self {
        Self { current, old }
    }

    /// Reads a token back; none unless one of the keys signed it. All keys are asked, so that it takes the same time
    /// whichever it was.
    pub fn verify(&self, token: &str) -> Option<DeliveryTag> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.trim()).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (tag, mac) = rest.split_at_checked(TAG_LEN)?;
        let tag = DeliveryTag(tag.try_into().ok()?);
        let is_ours = self.is_by_any(mac, |key| key.mac(tag));
        (*version == TOKEN_VERSION && is_ours).then_some(tag)
    }

    /// Signs a wish that may be taken back.
    pub fn sign_undo(&self, undo: Undo) -> String {
        let [tag, at, list] = undo.pieces();
        let mac = self.current.mac_of(&[&[UNDO_VERSION], &tag, &at, &list]);
        BASE64_URL_SAFE_NO_PAD.encode([[UNDO_VERSION].as_slice(), &tag, &at, &list, &mac].concat())
    }

    /// Reads it back; none unless one of the keys signed it.
    pub fn verify_undo(&self, text: &str) -> Option<Undo> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (tag, rest) = rest.split_at_checked(TAG_LEN)?;
        let (at, rest) = rest.split_at_checked(8)?;
        let (list, mac) = rest.split_at_checked(1)?;
        let is_ours = self.is_by_any(mac, |key| key.mac_of(&[&[UNDO_VERSION], tag, at, list]));
        (*version == UNDO_VERSION && is_ours).then_some(Undo {
            tag: DeliveryTag(tag.try_into().ok()?),
            at_ms: i64::from_be_bytes(at.try_into().ok()?),
            is_list: list == [1],
        })
    }

    fn is_by_any(&self, mac: &[u8], expected: impl Fn(&UnsubscribeKey) -> [u8; MAC_LEN]) -> bool {
        let all = std::iter::once(&self.current).chain(&self.old);
        all.fold(false, |is_ours, key| is_ours | is_equal(mac, &expected(key)))
    }
}

impl Undo {
    fn pieces(self) -> [Vec<u8>; 3] {
        let list = vec![u8::from(self.is_list)];
        [self.tag.0.to_vec(), self.at_ms.to_be_bytes().to_vec(), list]
    }
}

/// Compares without telling by the time where they differ.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(letter: &str) -> UnsubscribeKey {
        UnsubscribeKey::from_text(&letter.repeat(64)).unwrap()
    }

    fn tag(campaign: &str, address: &str) -> DeliveryTag {
        DeliveryTag::derive(campaign, &Address::parse(address).unwrap(), Volume::FIRST)
    }

    #[test]
    fn a_tag_depends_on_campaign_and_mailbox_and_on_nothing_else() {
        assert_eq!(tag("c", "Li@Example.com"), tag("c", "li@example.com"));
        assert_ne!(tag("c", "li@example.com"), tag("d", "li@example.com"));
        assert_ne!(tag("c", "li@example.com"), tag("c", "wu@example.com"));
        let second = DeliveryTag::derive("c", &Address::parse("li@example.com").unwrap(), Volume::new(2));
        assert_ne!(tag("c", "li@example.com"), second);
    }

    #[test]
    fn a_token_is_read_back_only_by_its_own_key() {
        let [key, other] = ["k", "o"].map(key);
        let tag = tag("c", "li@example.com");
        let token = key.sign(tag);
        let [ours, theirs] = [key, other].map(|key| UnsubscribeKeys::new(key, Vec::new()));
        assert_eq!(token.len(), UnsubscribeKey::TOKEN_LENGTH);
        assert_eq!(ours.verify(&token), Some(tag));
        assert_eq!(theirs.verify(&token), None);
        for position in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                ours.verify(&String::from_utf8(forged).unwrap()),
                None,
                "at {position}"
            );
        }
    }

    #[test]
    fn tokens_of_a_key_that_was_replaced_stay_valid() {
        let [old, new, stranger] = ["o", "n", "s"].map(key);
        let tag = tag("c", "li@example.com");
        let [by_old, by_new, by_stranger] = [&old, &new, &stranger].map(|key| key.sign(tag));
        let keys = UnsubscribeKeys::new(new, vec![old]);
        assert_eq!(keys.verify(&by_old), Some(tag));
        assert_eq!(keys.verify(&by_new), Some(tag));
        assert_eq!(keys.verify(&by_stranger), None);
    }

    #[test]
    fn what_takes_a_wish_back_is_no_token_and_nobody_else_can_write_it() {
        let keys = UnsubscribeKeys::new(key("k"), Vec::new());
        for is_list in [false, true] {
            let undo = Undo {
                tag: tag("c", "li@example.com"),
                at_ms: 1_763_956_800_123,
                is_list,
            };
            let text = keys.sign_undo(undo);
            assert_eq!(keys.verify_undo(&text), Some(undo));
            assert_eq!(keys.verify(&text), None);
            assert_eq!(keys.verify_undo(&key("k").sign(undo.tag)), None);
            assert_eq!(
                UnsubscribeKeys::new(key("o"), Vec::new()).verify_undo(&text),
                None
            );
            for position in 0..text.len() - 1 {
                let mut forged = text.clone().into_bytes();
                forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
                assert_eq!(keys.verify_undo(&String::from_utf8(forged).unwrap()), None);
            }
        }
    }

    #[test]
    fn a_short_key_is_no_key() {
        assert!(UnsubscribeKey::from_text("short").is_none());
    }
}
