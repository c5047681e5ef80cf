//! Signed passes: seat keys and invitations.
//!
//! A pass is `ROLE.END.SIGNATURE.ID`:
//!
//! - the role, as a letter;
//! - the end of validity, in seconds since 1970, in hexadecimal;
//! - the first 128 bits of the HMAC-SHA-256 of room, participant, role and end;
//! - the identifier of the participant. In an invitation, a dot and a random text: the number of the invitation.
//!
//! The gateway does not store passes: it checks their signatures. So participants can return to their seats after a
//! restart of the gateway. The signing key is a file in the data folder.

use std::io;
use std::path::Path;

use aws_lc_rs::hmac;

use super::role::Role;
use crate::core::auth::secret_of;

/// Name of the file with the signing key in the data folder.
pub(super) const FILE: &str = "rooms-key";
/// Time for which a seat key is valid, in seconds.
pub(super) const SEAT_KEY_LIFE: u64 = 24 * 3600;
/// Length of the signature in a pass, in bytes.
const SIGNATURE: usize = 16;
/// Maximum length of a pass in bytes; a longer text is not parsed.
const MAX_PASS: usize = 256;
/// The first character of an invitation's number, which stands in the place of a participant. No stream has a name with
/// a leading dot, so no participant has such an identifier.
const INVITATION: char = '.';

/// Signs and checks passes.
pub(super) struct Passes(hmac::Key);

impl std::fmt::Debug for Passes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passes")
    }
}

impl Passes {
    /// Reads the signing key from the data folder. Creates the key if there is none.
    ///
    /// # Errors
    /// The file cannot be read or created, or other users may read it.
    pub(super) fn kept(data: &Path) -> io::Result<Self> {
        let secret = secret_of(data, FILE, true)?.unwrap_or_default();
        Ok(Self::new(secret.as_bytes()))
    }

    /// Creates an instance that signs passes with this key.
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Returns a seat key for a participant. `now` is in seconds since 1970.
    pub(super) fn seat(&self, room: &str, id: &str, role: Role, now: u64) -> String {
        self.sign(room, id, role, now + SEAT_KEY_LIFE)
    }

    /// Returns an invitation that is valid until `until`, in seconds since 1970. Each has a number of its own.
    pub(super) fn invite(&self, room: &str, role: Role, until: u64) -> String {
        let number = format!("{INVITATION}{:012x}", rand::random::<u64>() >> 16);
        self.sign(room, &number, role, until)
    }

    /// Returns the participant and the role of a seat key; `None` if it is not valid.
    pub(super) fn check_seat<'k>(&self, room: &str, key: &'k str, now: u64) -> Option<(&'k str, Role)> {
        self.check(room, key, now).filter(|(id, _)| !id.starts_with(INVITATION))
    }

    /// Returns the number of an invitation, and the role that it gives; `None` if it is not valid.
    pub(super) fn check_invite<'i>(&self, room: &str, invite: &'i str, now: u64) -> Option<(&'i str, Role)> {
        self.check(room, invite, now).filter(|(id, _)| id.starts_with(INVITATION))
    }

    fn sign(&self, room: &str, id: &str, role: Role, until: u64) -> String {
        let head = format!("{}.{until:x}", role.letter());
        let tag = hmac::sign(&self.0, &signed(room, id, &head));
        let hex: String = tag.as_ref().iter().take(SIGNATURE).map(|byte| format!("{byte:02x}")).collect();
        format!("{head}.{hex}.{id}")
    }

    fn check<'p>(&self, room: &str, pass: &'p str, now: u64) -> Option<(&'p str, Role)> {
        if pass.len() > MAX_PASS {
            return None;
        }
        let mut parts = pass.splitn(4, '.');
        let role = parts.next()?;
        let role = Role::of_letter(role.chars().next().filter(|_| role.len() == 1)?)?;
        let until = u64::from_str_radix(parts.next()?, 16).ok()?;
        let id = parts.nth(1)?;
        // The whole text is compared. That also rejects other spellings of the same number, such as `+6b`.
        let expected = self.sign(room, id, role, until);
        let same: bool = subtle::ConstantTimeEq::ct_eq(expected.as_bytes(), pass.as_bytes()).into();
        (same && now < until).then_some((id, role))
    }
}

/// Returns the bytes that are signed. Neither a room's name nor an identifier contains a line break, so two different
/// passes never have the same signed bytes.
fn signed(room: &str, id: &str, head: &str) -> Vec<u8> {
    format!("lianmai room pass\n{room}\n{id}\n{head}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_seat_key_is_for_one_seat_and_one_role() {
        let passes = Passes::new(b"key");
        let key = passes.seat("show", "anna", Role::Guest, NOW);
        assert_eq!(passes.check_seat("show", &key, NOW), Some(("anna", Role::Guest)));
        assert_eq!(passes.check_seat("show", &key, NOW + SEAT_KEY_LIFE - 1), Some(("anna", Role::Guest)));
        for (room, key, now) in [
            ("show", key.as_str(), NOW + SEAT_KEY_LIFE),
            ("other", &key, NOW),
            ("show", &key.replace("anna", "bert"), NOW),
            ("show", &key.replacen('g', "h", 1), NOW),
            ("show", &key[..key.len() - 1], NOW),
            ("show", &format!("{key}a"), NOW),
            ("show", &key.to_uppercase(), NOW),
            ("show", &"g.".repeat(1000), NOW),
            ("show", "", NOW),
            ("show", "g.+6b49d200.00.anna", NOW),
        ] {
            assert_eq!(passes.check_seat(room, key, now), None, "{room} {key} {now}");
        }
        assert_eq!(Passes::new(b"other").check_seat("show", &key, NOW), None);
    }

    #[test]
    fn an_invitation_is_no_seat_key() {
        let passes = Passes::new(b"key");
        let invite = passes.invite("show", Role::Guest, NOW + 60);
        let (number, role) = passes.check_invite("show", &invite, NOW).unwrap();
        assert_eq!(role, Role::Guest);
        let other = passes.invite("show", Role::Guest, NOW + 60);
        assert_ne!(passes.check_invite("show", &other, NOW).unwrap().0, number);
        assert_eq!(passes.check_invite("show", &invite.replace(number, ".000000000000"), NOW), None);
        assert_eq!(passes.check_invite("show", &invite, NOW + 60), None);
        assert_eq!(passes.check_seat("show", &invite, NOW), None);
        let key = passes.seat("show", "anna", Role::Guest, NOW);
        assert_eq!(passes.check_invite("show", &key, NOW), None);
    }
}
