use super::*;
use std::time::Duration;

const SECOND: i64 = 1_000_000_000;

fn at<'a>(time_ns: i64, line: u32, text: &'a str) -> Subject<'a> {
    let (level, path) = (Level::INFO, b"/srv/app.py".as_slice());
    Subject { time_ns, level, logger: b"app", path, line, text: text.as_bytes(), value: None }
}

fn texts(told: Vec<Told>) -> Vec<String> {
    told.into_iter().map(|told| told.text).collect()
}

#[test]
fn a_rate_is_kept_and_what_is_over_it_told() {
    let limit = RateLimit::new(2.0, None, Per::Site, Some(Level::ERROR)).unwrap();
    let passed = (0..10).filter(|_| limit.passes(&at(SECOND, 7, ""))).count();
    assert_eq!(passed, 2);
    assert!(limit.passes(&at(SECOND, 8, "")), "another place has its own");
    assert!(limit.passes(&Subject { level: Level::ERROR, ..at(SECOND, 7, "") }));
    assert!(limit.is_owing() && limit.tell(SECOND, Due::Passing).is_empty());
    assert!(limit.tell(SECOND + SECOND / 2, Due::Now).is_empty());
    assert!(limit.passes(&at(SECOND + SECOND / 2, 7, "")), "room for one comes in half a second");
    assert_eq!(
        texts(limit.tell(SECOND, Due::Passing)),
        ["filtered 8 records of app.py:7 since 1970-01-01T00:00:01.000Z: more than 2 a second"]
    );
    assert!(!limit.is_owing());
    assert!(!limit.passes(&at(0, 7, "")), "a clock that was set back gives no room");
    assert_eq!(texts(limit.tell(SECOND, Due::Now)).len(), 1);
    assert!(!limit.is_owing());
    for (rate, burst) in [(0.0, None), (f64::NAN, None), (1.0, Some(0.5))] {
        assert!(RateLimit::new(rate, burst, Per::All, None).is_err());
    }
}

#[test]
fn the_places_that_a_limit_tells_apart_are_bounded() {
    let limit = RateLimit::new(1.0, None, Per::Site, None).unwrap();
    let all = u32::try_from(rate::MOST_PLACES).unwrap() + 10;
    let passed = (0..all).filter(|line| limit.passes(&at(0, *line, ""))).count();
    assert_eq!(passed, rate::MOST_PLACES + 1, "those beyond share one");
    assert!(limit.passes(&at(2 * SECOND, all, "")), "who has been quiet makes room");
}

#[test]
fn a_line_that_repeats_is_folded_and_told() {
    let fold = Fold::new(Duration::from_secs(5)).unwrap();
    let pass = |seconds, text| fold.passes(&at(seconds * SECOND, 3, text));
    assert_eq!(
        [pass(1, "a"), pass(2, "a"), pass(3, "a"), pass(3, "b")],
        [true, false, false, true]
    );
    assert_eq!(texts(fold.tell(0, Due::Passing)), ["repeated 2 times: a"]);
    assert!(!fold.is_owing());
    assert!(!pass(4, "b") && fold.is_owing());
    assert!(fold.tell(7 * SECOND, Due::Now).is_empty());
    assert_eq!(texts(fold.tell(8 * SECOND, Due::Now)), ["repeated 1 time: b"]);
    assert!(pass(9, "b"), "after its time it is a line again");
    assert!(!pass(9, "b"));
    assert_eq!(texts(fold.tell(0, Due::AtOnce)), ["repeated 1 time: b"]);
    assert!(!fold.is_owing());
    assert!(Fold::new(Duration::ZERO).is_err());
}

#[test]
fn once_is_once_for_each_place_or_message() {
    let once = Once::new(false);
    assert_eq!([1, 2, 1].map(|line| once.passes(&at(0, line, "a"))), [true, true, false]);
    let once = Once::new(true);
    assert_eq!(["a", "b", "a"].map(|text| once.passes(&at(0, 1, text))), [true, true, false]);
}

#[test]
fn a_sample_is_the_part_that_was_asked_for_and_the_same_for_one_value() {
    let rates = vec![(Level::WARNING, 1.0), (Level(0), 0.25)];
    let sample = Sample::new(rates, Some("trace_id".into())).unwrap();
    let passed = (0..10_000).filter(|_| sample.passes(&at(0, 1, ""))).count();
    assert!((2_200..2_800).contains(&passed), "{passed}");
    assert!(sample.passes(&Subject { level: Level::ERROR, ..at(0, 1, "") }));
    let of = |n: u32| {
        let value = n.to_string();
        let subject = Subject { value: Some(value.as_bytes()), ..at(0, 1, "") };
        (0..3).map(|_| sample.passes(&subject)).collect::<Vec<_>>()
    };
    let passed = (0..1000).filter(|n| {
        let all = of(*n);
        assert!(all.iter().all(|one| *one == all[0]));
        all[0]
    });
    assert!((180..320).contains(&passed.count()));
    assert!(Sample::new(vec![(Level(0), 1.5)], None).is_err());
}
