use super::civil::Civil;
use super::strftime::DateFormat;
use crate::format::tables::{Expected, cases, expected};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn dates_are_shown_as_cpython_shows_them() {
    let zones =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/format/testdata/zoneinfo");
    for case in cases(include_str!("../testdata/dates.tsv")) {
        let [zone, second, format, result] = &case[..] else { panic!("{case:?}") };
        let second = second.parse().unwrap();
        let format = DateFormat::parse(format).unwrap();
        let mut out = Vec::new();
        if zone == "-" {
            format.write(&Civil::utc(second), &mut out);
        } else {
            let zone = super::zone::resolve(zone, &zones);
            Civil::local(second, &zone, |civil| format.write(civil, &mut out));
        }
        assert_eq!(Expected::Text(String::from_utf8(out).unwrap()), expected(result), "{case:?}");
    }
}

#[test]
fn what_depends_on_locale_or_platform_is_refused() {
    for (format, reason) in [
        ("%c", "got `%c`, expected one of `%aAbBCdDeFgGhHIjmMnpRStTuUVwWyYzZ%`"),
        ("%-d", "got `%-`, expected one of `%aAbBCdDeFgGhHIjmMnpRStTuUVwWyYzZ%`"),
        ("%Y%", "got a `%` at the end, expected a directive"),
        ("a\0", "got a zero byte, expected text"),
    ] {
        assert_eq!(DateFormat::parse(format).unwrap_err().to_string(), reason);
    }
    for format in ["%x", "%X", "%r", "%s", "%Ey", "%5Y", "%f", "%é", "%+", "%P", "%k"] {
        assert!(DateFormat::parse(format).is_err(), "{format}");
    }
}

#[test]
fn names_are_told() {
    for (format, names) in [("%Y %z %Z %j", false), ("%d %b", true), ("%I %p", true), ("%A", true)]
    {
        assert_eq!(DateFormat::parse(format).unwrap().uses_names(), names, "{format}");
    }
}
