//! Which names are secret.
//!
//! A name is taken apart into words, at `-`, `_`, `.`, spaces and where a capital follows a small letter;
//! it is secret where its last words are those of a key: `user.accessToken`, `X-Api-Key`, `HTTP_COOKIE`.
//! Numbers and words like `hash` at the end say nothing: `password2`, `password_confirmation`.

use super::Redaction;
use crate::error::{ConfigError, Error};

/// The keys that are secret by default, in the form that [`words`] gives.
const STANDARD: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "authorization",
    "cookie",
    "cookies",
    "apikey",
    "api_key",
    "access_key",
    "secret_key",
    "private_key",
    "signing_key",
    "encryption_key",
    "credential",
    "credentials",
    "session_id",
    "sessionid",
    "session_key",
    "csrf",
    "xsrf",
    "jwt",
    "otp",
    "cvv",
    "cvc",
    "ssn",
    "card_number",
    "credit_card",
    "accesstoken",
    "authtoken",
    "refreshtoken",
    "csrftoken",
    "sessiontoken",
    "idtoken",
    "bearer",
    "www_authenticate",
];
/// Endings of one word that is written in one with another: `dbpassword`.
const ENDINGS: &[&str] = &["password", "passwd", "passphrase"];
/// Words at the end that say nothing.
const TAILS: &[&str] = &[
    "hash",
    "hashed",
    "value",
    "confirm",
    "confirmation",
    "again",
    "repeat",
    "header",
    "raw",
    "plain",
];
/// Longer names are looked at in their last bytes.
const LONGEST: usize = 256;

/// The keys and what is excepted.
#[derive(Debug)]
pub(super) struct Names {
    keys: Vec<Box<str>>,
    exceptions: Vec<Box<str>>,
}

impl Names {
    pub(super) fn standard() -> Names {
        let keys = STANDARD.iter().map(|key| (*key).into()).collect();
        Names { keys, exceptions: Vec::new() }
    }

    pub(super) fn new(keys: &[&str], exceptions: &[&str]) -> Result<Names, Error> {
        let mut names = Names::standard();
        for (option, given, list) in
            [("keys", keys, &mut names.keys), ("exceptions", exceptions, &mut names.exceptions)]
        {
            for key in given {
                let words = words(key);
                if words.is_empty() || key.len() > LONGEST {
                    let expected = format!("names with a letter, of at most {LONGEST} bytes");
                    return Err(ConfigError::new(option, key, expected).into());
                }
                list.push(words.into());
            }
        }
        Ok(names)
    }

    pub(super) fn is_secret(&self, name: &str) -> bool {
        let words = words(name);
        if self.exceptions.iter().any(|one| **one == *words) {
            return false;
        }
        let mut rest = words.as_str();
        loop {
            if self.keys.iter().any(|key| ends_in(rest, key)) {
                return true;
            }
            let (before, last) = rest.rsplit_once('_').unwrap_or(("", rest));
            if ENDINGS.iter().any(|ending| last.ends_with(ending)) {
                return true;
            }
            if !TAILS.contains(&last) && !last.bytes().all(|byte| byte.is_ascii_digit()) {
                return false;
            }
            if before.is_empty() {
                return false;
            }
            rest = before;
        }
    }
}

/// Whether the last words of a name are these.
fn ends_in(name: &str, key: &str) -> bool {
    name.strip_suffix(key).is_some_and(|before| before.is_empty() || before.ends_with('_'))
}

/// The words of a name in small letters, with one `_` between them; a number at the end of a word is a
/// word of its own.
fn words(name: &str) -> String {
    let mut start = name.len().saturating_sub(LONGEST);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    let mut words = String::with_capacity(name.len().min(LONGEST) + 8);
    let mut before = ' ';
    for letter in name[start..].chars() {
        if !letter.is_alphanumeric() {
            before = ' ';
            continue;
        }
        let begins = !before.is_alphanumeric()
            || (letter.is_uppercase() && before.is_lowercase())
            || (letter.is_ascii_digit() && !before.is_ascii_digit());
        if begins && !words.is_empty() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
        before = letter;
    }
    words
}

const SLOTS: usize = 128;
/// Longer names are asked about each time.
const KEPT_BYTES: usize = 64;

/// What was found about names: they come again and again. Of fixed size, for one thread.
#[derive(Debug, Default)]
pub struct Verdicts {
    slots: Vec<Option<(Box<str>, bool)>>,
}

impl Verdicts {
    /// What [`Redaction::is_secret`] says.
    #[inline]
    pub fn is_secret(&mut self, redaction: &Redaction, name: &str) -> bool {
        if redaction.names.is_none() {
            return false;
        }
        let bytes = name.as_bytes();
        let hash = bytes
            .iter()
            .fold(bytes.len(), |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        match self.slots.get(hash % SLOTS) {
            Some(Some((known, secret))) if **known == *name => *secret,
            _ => self.learn(redaction, name, hash % SLOTS),
        }
    }

    #[cold]
    fn learn(&mut self, redaction: &Redaction, name: &str, at: usize) -> bool {
        let secret = redaction.is_secret(name);
        if name.len() <= KEPT_BYTES {
            if self.slots.is_empty() {
                self.slots.resize(SLOTS, None);
            }
            self.slots[at] = Some((name.into(), secret));
        }
        secret
    }
}
