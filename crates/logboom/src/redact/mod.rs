//! Redaction: what is not for the log's readers, by the name that it stands under or by how it looks.
//!
//! Invariants:
//! 1. Whatever is found is replaced as a whole by one text without quotes, escapes and control characters:
//!    a line stays a line, JSON stays JSON, and no character is cut.
//! 2. The time grows with the length of a text, whatever stands in it: scanners of our own go over it once
//!    with bounded looks to either side, and patterns of the user's are of the `regex` crate.
//! 3. `None`, true and false are no secrets: they stay, under every name.
//!
//! ```text
//! names      which names are secret, as words: `user.accessToken` ends in `access token`
//! patterns   what is found in texts: tokens, passwords in URLs, cards, keys, pairs, the user's own
//! json       the same within a text of JSON
//! ```
//!
//! It knows texts only. What of a record is looked at is said in [`Redactor`](crate::format::Redactor),
//! which the writer asks before any formatter runs.

mod json;
mod names;
mod patterns;
#[cfg(test)]
mod tests;

pub use names::Verdicts;
pub use patterns::{PATTERNS, PatternSpec};

use crate::error::{ConfigError, Error};
use names::Names;
use patterns::Pattern;
use std::ops::Range;

/// What stands in the place of a secret, by default.
pub const REPLACEMENT: &str = "[redacted]";
/// The most patterns of the user's.
pub const MAX_PATTERNS: usize = 64;
/// The longest of them, in bytes; compiled it takes at most 1 MiB.
pub const MAX_PATTERN_BYTES: usize = 4096;
const MAX_REPLACEMENT_BYTES: usize = 64;

/// What a [`Redaction`] is made of. The default: secret names, no patterns.
#[derive(Clone, Debug, Default)]
pub struct RedactionOptions<'a> {
    /// Names that are secret beside the standard ones, as words in any case: `iban`, `tax_id`.
    pub keys: &'a [&'a str],
    /// Names that are not, whatever their words: `page_token`.
    pub exceptions: &'a [&'a str],
    /// What is found in texts. Costs the writer a look at each text.
    pub patterns: &'a [PatternSpec<'a>],
    /// What stands in the place of a secret; default [`REPLACEMENT`].
    pub replacement: Option<&'a str>,
}

/// What is redacted, and by what. Immutable; made once, used by the writer for each record.
#[derive(Debug)]
pub struct Redaction {
    names: Option<Names>,
    patterns: Vec<Pattern>,
    replacement: Box<str>,
    standard: bool,
}

impl Default for Redaction {
    fn default() -> Self {
        let (names, replacement) = (Some(Names::standard()), REPLACEMENT.into());
        Redaction { names, patterns: Vec::new(), replacement, standard: true }
    }
}

impl Redaction {
    /// One that finds nothing.
    pub fn off() -> Redaction {
        Redaction { names: None, standard: false, ..Redaction::default() }
    }

    /// One as described.
    ///
    /// # Errors
    /// Names the option that cannot be: a pattern that is none, is too large or matches nothing at all, a
    /// key without a letter, a replacement with a quote, a backslash or a control character.
    pub fn new(options: &RedactionOptions<'_>) -> Result<Redaction, Error> {
        let replacement = options.replacement.unwrap_or(REPLACEMENT);
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"'\\=".contains(c);
        if replacement.len() > MAX_REPLACEMENT_BYTES || !replacement.chars().all(plain) {
            let expected =
                "at most 64 bytes without spaces, quotes, `=`, backslashes and control characters";
            return Err(ConfigError::new("replacement", replacement, expected.into()).into());
        }
        if options.patterns.len() > MAX_PATTERNS {
            let expected = format!("at most {MAX_PATTERNS} of them");
            return Err(ConfigError::new("patterns", options.patterns.len(), expected).into());
        }
        Ok(Redaction {
            names: Some(Names::new(options.keys, options.exceptions)?),
            patterns: options.patterns.iter().map(Pattern::new).collect::<Result<_, _>>()?,
            replacement: replacement.into(),
            standard: options.keys.is_empty()
                && options.exceptions.is_empty()
                && options.patterns.is_empty()
                && replacement == REPLACEMENT,
        })
    }

    /// Whether it finds nothing.
    pub fn is_off(&self) -> bool {
        self.names.is_none() && self.patterns.is_empty()
    }

    /// Whether it is the default: the standard names and no patterns.
    pub fn is_standard(&self) -> bool {
        self.standard
    }

    /// Whether texts are looked at.
    pub fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// What stands in the place of a secret.
    pub fn replacement(&self) -> &str {
        &self.replacement
    }

    /// Whether what stands under this name is secret.
    pub fn is_secret(&self, name: &str) -> bool {
        self.names.as_ref().is_some_and(|names| names.is_secret(name))
    }

    /// The text without its secrets; `None` where nothing was found.
    pub fn text(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.patterns.is_empty() {
            return None;
        }
        let mut found = Vec::new();
        let mut from = 0;
        // Texts are UTF-8; what is not, in a line that somebody else encoded, is passed over.
        for chunk in text.utf8_chunks() {
            let at = found.len();
            for pattern in &self.patterns {
                pattern.find(chunk.valid(), self, &mut found);
            }
            found[at..].iter_mut().for_each(|one| *one = one.start + from..one.end + from);
            from += chunk.valid().len() + chunk.invalid().len();
        }
        self.replace(text, found)
    }

    /// The same of a text of JSON, keys included; of one that is none as of any other.
    pub fn json(&self, text: &str, verdicts: &mut Verdicts) -> Option<Vec<u8>> {
        json::redacted(self, text, verdicts)
    }

    /// The same of a finished line, which may be JSON.
    pub fn line(&self, line: &[u8], verdicts: &mut Verdicts) -> Option<Vec<u8>> {
        if line.first() == Some(&b'{')
            && let Ok(text) = std::str::from_utf8(line)
            && json::is_whole(text)
        {
            return json::redacted(self, text, verdicts);
        }
        self.text(line)
    }

    fn replace(&self, text: &[u8], mut found: Vec<Range<usize>>) -> Option<Vec<u8>> {
        if found.is_empty() {
            return None;
        }
        found.sort_unstable_by_key(|one| (one.start, one.end));
        let mut out = Vec::with_capacity(text.len());
        let mut done = 0;
        for one in found {
            if one.end <= done {
                continue;
            }
            // One that begins within the last is its continuation.
            if one.start >= done {
                out.extend_from_slice(&text[done..one.start]);
                out.extend_from_slice(self.replacement.as_bytes());
            }
            done = one.end;
        }
        out.extend_from_slice(&text[done..]);
        Some(out)
    }
}
