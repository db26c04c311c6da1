//! `asctime`: the date of a record, with milliseconds where no format of one's own was given.

use super::civil::Civil;
use super::moment::TimeModel;
use super::strftime::{DateFormat, write_three};
use super::zone::{LocalZone, Zone};
use crate::field::Value;
use crate::format::percent::{Conversion, Kind, Spec, Template};
use crate::format::{FormatCache, FormatError};
use std::sync::atomic::{AtomicU64, Ordering};

/// What `%(asctime)s` stands for in one formatter.
#[derive(Debug)]
pub(crate) struct AscTime {
    /// Distinguishes the formatters that may share a cache one after the other.
    id: u64,
    format: DateFormat,
    msecs: Option<Msecs>,
    zone: Zone,
}

/// How milliseconds are added: `default_msec_format`.
#[derive(Debug)]
enum Msecs {
    /// `%s,%03d` and the like: what is before, between and after.
    Digits(Box<str>, Box<str>, Box<str>),
    /// Any other `%` template with two arguments.
    Template(Template),
}

/// More than a float of seconds may be off: a quarter of a microsecond today, one in the year 2242.
const MARGIN_NS: u32 = 2_000;

/// The text of the last second a formatter showed, up to the milliseconds.
#[derive(Debug, Default)]
pub(crate) struct DateCache {
    key: Option<(u64, i64)>,
    /// The moment that the second begins; far away where there is no way but the model's.
    begin_ns: i64,
    zone: Option<&'static LocalZone>,
    text: Vec<u8>,
}

impl AscTime {
    pub(crate) fn new(
        format: DateFormat,
        msec_format: Option<&str>,
        zone: Zone,
    ) -> Result<AscTime, String> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        if zone == Zone::Local {
            LocalZone::first(); // on this thread, not on the writer's
        }
        Ok(AscTime {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            format,
            msecs: msec_format.map(Msecs::parse).transpose()?,
            zone,
        })
    }

    pub(crate) fn uses_names(&self) -> bool {
        self.format.uses_names()
    }

    /// Appends the date of a record made at `time_ns`.
    #[inline]
    pub(crate) fn write(
        &self,
        time: TimeModel,
        time_ns: i64,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        if let Some(Msecs::Digits(_, _, after)) = &self.msecs
            && let Some((date, msecs)) = self.at_once(time_ns, &cache.date)
        {
            out.extend_from_slice(date);
            write_three(msecs, out);
            if !after.is_empty() {
                out.extend_from_slice(after.as_bytes());
            }
            return Ok(());
        }
        let created = time.created(time_ns);
        let date = self.date(TimeModel::second(created), &mut cache.date);
        match &self.msecs {
            None => out.extend_from_slice(date),
            Some(Msecs::Digits(_, _, after)) => {
                out.extend_from_slice(date);
                let msecs = time.msecs(time_ns, created) as i32;
                if msecs < 0 {
                    write_negative(msecs, out);
                } else {
                    write_three(msecs.unsigned_abs(), out);
                }
                out.extend_from_slice(after.as_bytes());
            }
            Some(Msecs::Template(template)) => {
                let date = std::str::from_utf8(date).unwrap_or_default();
                let msecs = time.msecs(time_ns, created);
                template.render([Value::Str(date), Value::F64(msecs)], out)?;
            }
        }
        Ok(())
    }

    /// The date and the milliseconds where no model of time can see them otherwise: a moment within the
    /// second that is at hand, and not where a float next to it may show another millisecond.
    #[inline]
    fn at_once<'c>(&self, time_ns: i64, cache: &'c DateCache) -> Option<(&'c [u8], u32)> {
        let within = u32::try_from(time_ns.checked_sub(cache.begin_ns)?).ok()?;
        let msecs = within / 1_000_000;
        let is_clear = (MARGIN_NS..1_000_000 - MARGIN_NS).contains(&(within % 1_000_000));
        let (id, _) = cache.key?;
        let is_here = msecs < 1000 && id == self.id && self.knows_zone(cache);
        (is_here && is_clear).then_some((&*cache.text, msecs))
    }

    #[inline]
    fn knows_zone(&self, cache: &DateCache) -> bool {
        cache.zone.is_none_or(|zone| std::ptr::eq(zone, zone.latest()))
    }

    #[inline]
    fn date<'c>(&self, second: i64, cache: &'c mut DateCache) -> &'c [u8] {
        let fresh = cache.key == Some((self.id, second)) && self.knows_zone(cache);
        if !fresh {
            self.refresh(second, cache);
        }
        &cache.text
    }

    #[cold]
    fn refresh(&self, second: i64, cache: &mut DateCache) {
        cache.text.clear();
        if let Some(Msecs::Digits(before, ..)) = &self.msecs {
            cache.text.extend_from_slice(before.as_bytes());
        }
        match self.zone {
            Zone::Utc => {
                cache.zone = None;
                self.format.write(&Civil::utc(second), &mut cache.text);
            }
            Zone::Local => {
                let zone = cache.zone.unwrap_or_else(LocalZone::first).latest();
                cache.zone = Some(zone);
                Civil::local(second, zone.zone(), |civil| {
                    self.format.write(civil, &mut cache.text);
                });
            }
        }
        if let Some(Msecs::Digits(_, between, _)) = &self.msecs {
            cache.text.extend_from_slice(between.as_bytes());
        }
        cache.key = Some((self.id, second));
        // Before 1970 milliseconds are negative.
        cache.begin_ns = if second < 0 { i64::MAX } else { second.saturating_mul(1_000_000_000) };
    }
}

/// `%03d` of a moment before 1970.
#[cold]
fn write_negative(msecs: i32, out: &mut Vec<u8>) {
    out.push(b'-');
    let msecs = msecs.unsigned_abs();
    if msecs < 10 {
        out.push(b'0');
    }
    crate::format::percent::write_integer(msecs, out);
}

impl Msecs {
    fn parse(format: &str) -> Result<Msecs, String> {
        let template = Template::parse(format.as_bytes()).map_err(|error| error.to_string())?;
        if let Some(digits) = Msecs::digits(format, &template) {
            return Ok(digits);
        }
        if template.accepts([Kind::Text, Kind::Float]) {
            Ok(Msecs::Template(template))
        } else {
            Err(format!("got {format:?}, expected places for a text and a number"))
        }
    }

    fn digits(format: &str, template: &Template) -> Option<Msecs> {
        let three = Spec { zero: true, width: 3, ..Spec::plain(Conversion::Decimal) };
        if template.specs() != [Spec::plain(Conversion::Str), three] || format.contains("%%") {
            return None;
        }
        let (before, rest) = format.split_once("%s")?;
        let (between, after) = rest.split_once("%03d")?;
        Some(Msecs::Digits(before.into(), between.into(), after.into()))
    }
}
