//! What is found in texts, and where: each pattern has a cheap look first that most texts do not pass.

mod card;
mod pairs;

use super::{MAX_PATTERN_BYTES, Redaction};
use crate::error::{ConfigError, Error};
use memchr::{memchr, memmem};
use regex::{Regex, RegexBuilder};
use std::ops::Range;

/// The patterns that there are, by name.
pub const PATTERNS: [&str; 8] =
    ["bearer", "url_password", "pairs", "jwt", "cloud_key", "card", "private_key", "email"];

const REGEX_BYTES: usize = 1 << 20;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternSpec<'a> {
    /// One of [`PATTERNS`]:
    ///
    /// - `bearer`: what follows `Bearer` or `Basic` and looks like a token;
    /// - `url_password`: the password in `scheme://user:password@host`;
    /// - `pairs`: the value of a secret name in `name=value`, `name: value`, `"name": "value"`;
    /// - `jwt`: a JSON web token;
    /// - `cloud_key`: keys that tell by their prefix whose they are (AWS, GitHub, GitLab, Google, Slack, Stripe);
    /// - `card`: the number of a payment card, by its length, prefix and check digit;
    /// - `private_key`: a block of PEM with a private key, also one that is cut off;
    /// - `email`: an address.
    Named(&'a str),
    /// A regular expression as the `regex` crate takes it. Where it has a group, only the first one that
    /// took part is replaced.
    Regex(&'a str),
}

#[derive(Debug)]
enum Kind {
    Bearer,
    UrlPassword,
    Pairs,
    Jwt,
    CloudKey,
    Card,
    PrivateKey,
    Email,
    Own,
}

/// One that was checked and compiled.
#[derive(Debug)]
pub(super) struct Pattern {
    kind: Kind,
    regex: Option<Regex>,
}

impl Pattern {
    pub(super) fn new(spec: &PatternSpec<'_>) -> Result<Pattern, Error> {
        let (kind, source) = match *spec {
            PatternSpec::Regex(source) => (Kind::Own, source),
            PatternSpec::Named(name) => named(name).ok_or_else(|| {
                let expected = format!("one of {}, or a regular expression", PATTERNS.join(", "));
                ConfigError::new("patterns", name, expected)
            })?,
        };
        if source.is_empty() && !matches!(kind, Kind::Own) {
            return Ok(Pattern { kind, regex: None });
        }
        let refused = |why: String| -> Error {
            let expected = format!("a regular expression: {why}");
            ConfigError::new("patterns", source, expected).into()
        };
        if source.len() > MAX_PATTERN_BYTES {
            return Err(refused(format!("of at most {MAX_PATTERN_BYTES} bytes")));
        }
        let made = RegexBuilder::new(source).size_limit(REGEX_BYTES).build();
        let regex = made.map_err(|error| {
            refused(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
        })?;
        if regex.is_match("") {
            return Err(refused("one that does not match the empty text".into()));
        }
        Ok(Pattern { kind, regex: Some(regex) })
    }

    /// Adds where its secrets are in `text`.
    pub(super) fn find(&self, text: &str, all: &Redaction, found: &mut Vec<Range<usize>>) {
        let bytes = text.as_bytes();
        let comes = match self.kind {
            Kind::Card => return card::find(bytes, found),
            Kind::Pairs => return pairs::find(text, all, found),
            Kind::Bearer => has_scheme(bytes),
            Kind::UrlPassword => {
                memmem::find(bytes, b"://").is_some_and(|at| memchr(b'@', &bytes[at..]).is_some())
            }
            Kind::Jwt => memmem::find(bytes, b"eyJ").is_some(),
            Kind::PrivateKey => memmem::find(bytes, b"PRIVATE KEY-----").is_some(),
            Kind::Email => memchr(b'@', bytes).is_some(),
            // The crate has its own look for these prefixes.
            Kind::CloudKey | Kind::Own => true,
        };
        let Some(regex) = self.regex.as_ref().filter(|_| comes) else { return };
        if regex.captures_len() == 1 {
            found.extend(regex.find_iter(text).map(|one| one.range()));
            return;
        }
        for captures in regex.captures_iter(text) {
            let group = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0));
            let Some(group) = group else { continue };
            if !matches!(self.kind, Kind::Bearer) || looks_like_token(group.as_str()) {
                found.push(group.range());
            }
        }
    }
}

/// A pattern by its name, and its expression where it has one.
fn named(name: &str) -> Option<(Kind, &'static str)> {
    Some(match name {
        "bearer" => (Kind::Bearer, r"(?i)\b(?:bearer|basic)[ \t]+([A-Za-z0-9._~+/=-]{6,})"),
        "url_password" => (Kind::UrlPassword, r#"://[^\s/?#@:"\\<>]*:([^\s/?#"\\<>]+)@"#),
        "pairs" => (Kind::Pairs, ""),
        "jwt" => (Kind::Jwt, r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"),
        "cloud_key" => (
            Kind::CloudKey,
            r"(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{35}|xox[abprs]-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        ),
        "card" => (Kind::Card, ""),
        "private_key" => (
            Kind::PrivateKey,
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?s:.)*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\z)",
        ),
        "email" => {
            (Kind::Email, r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
        }
        _ => return None,
    })
}

/// Whether `bearer` or `basic` may be in it, whatever their case.
fn has_scheme(text: &[u8]) -> bool {
    memchr::memchr2_iter(b'b', b'B', text).any(|at| {
        let has = |word: &[u8]| {
            text.get(at..at + word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word))
        };
        has(b"bearer") || has(b"basic")
    })
}

/// Tells a token from the next word of a sentence about them.
fn looks_like_token(text: &str) -> bool {
    let trimmed = text.trim_end_matches('.');
    let telling = |byte: u8| byte.is_ascii_digit() || b"_~+/=".contains(&byte);
    trimmed.len() >= 20
        || trimmed.bytes().any(telling)
        || trimmed.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
}
