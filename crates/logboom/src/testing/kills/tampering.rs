//! What a recovery makes of files that nobody should have written, and of directories that are not safe.

use super::*;
use crate::durable::{RingOutcome, lives, read_as_recovery, this};
use proptest::prelude::*;

#[test]
fn a_notice_says_what_was_recovered_and_of_whom() {
    let (place, moment) = three_records();
    place.lay_out(&moment);
    let recovery = place.recover();
    assert_eq!((recovery.records(), recovery.rings.len()), (3, 1));
    assert_eq!(recovery.rings[0].outcome, RingOutcome::Recovered);
    let text = std::fs::read_to_string(place.log("a")).unwrap();
    let last = text.lines().last().unwrap();
    let process = std::process::id();
    assert_eq!(
        last,
        format!(
            "recovered 3 records of process {process}, which ended without a shutdown after \
             1970-01-01T00:00:01.000Z"
        )
    );
    assert_eq!(place.recover(), Recovery::default(), "the ring is gone");
}

#[test]
fn a_living_process_keeps_its_ring() {
    let (place, moment) = three_records();
    place.lay_out(&moment);
    let directory = Directory::open(&place.rings(), false).unwrap();
    let recovery = recover_locked(&directory, &lives, &std::sync::Arc::default()).unwrap();
    assert_eq!(recovery.rings[0].outcome, RingOutcome::Alive);
    assert_eq!(std::fs::read(place.log("a")).unwrap(), b"");
    assert_eq!(files(&place.rings()).count(), 1);
}

#[test]
fn a_ring_that_is_cut_anywhere_is_refused_and_left() {
    let (place, moment) = three_records();
    let (name, bytes) = moment.rings.first_key_value().unwrap();
    let mut cuts = vec![0, 1, 135, 136, 4095, 4096, bytes.len() / 2, bytes.len() - 1];
    cuts.extend((8192..bytes.len()).step_by(40_000));
    for cut in cuts {
        let mut torn = moment.clone();
        torn.rings.insert(name.clone(), bytes[..cut].to_vec());
        place.lay_out(&torn);
        let recovery = place.recover();
        assert!(matches!(recovery.rings[0].outcome, RingOutcome::Refused(_)), "{cut}");
        assert_eq!(recovery.problems().count(), 1);
        assert_eq!(std::fs::read(place.log("a")).unwrap(), b"");
        assert_eq!(files(&place.rings()).count(), 1, "what cannot be read is not thrown away");
    }
}

#[test]
fn a_damage_in_the_ring_costs_what_is_behind_it_and_the_file_is_kept() {
    let (place, mut moment) = three_records();
    let bytes = moment.rings.first_entry().unwrap().into_mut();
    let at = bytes.windows(6).position(|text| text == b"line 1").unwrap();
    // The word in front of the second record.
    let word = bytes[..at].windows(4).rposition(|word| word == b"\x02\x00\x62\x6c").unwrap();
    bytes[word] ^= 0x80;
    place.lay_out(&moment);
    let recovery = place.recover();
    assert_eq!(recovery.records(), 1);
    assert!(recovery.rings[0].damaged_at.is_some());
    assert_eq!(place.lines("a"), ["line 0"]);
    let kept: Vec<_> = files(&place.rings()).map(|(name, _)| name).collect();
    assert!(kept.len() == 1 && kept[0].ends_with(".damaged"), "{kept:?}");
    assert_eq!(place.recover(), Recovery::default(), "and not recovered again");
}

#[test]
fn whatever_bit_is_turned_nothing_but_the_log_is_touched() {
    let (place, moment) = three_records();
    let (name, bytes) = moment.rings.first_key_value().unwrap();
    let used: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
    for (turn, at) in used.into_iter().enumerate() {
        let mut turned = moment.clone();
        turned.rings.get_mut(name).unwrap()[at] ^= 1 << (turn % 8);
        place.lay_out(&turned);
        let recovery = place.recover();
        assert_eq!(recovery.rings.len(), 1);
        let logs: Vec<_> = files(&place.root.join("logs")).map(|(name, _)| name).collect();
        assert_eq!(logs, ["a"], "byte {at}");
        assert!(place.lines("a").len() <= 3, "byte {at}");
    }
}

#[test]
fn links_strangers_and_open_files_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (place, moment) = three_records();
    let (name, bytes) = moment.rings.first_key_value().unwrap();
    let ring = place.rings().join(name);
    let refused = |why: &str| {
        let recovery = place.recover();
        let told = recovery.problems().collect::<Vec<_>>().join("\n");
        assert!(told.contains(why), "{told:?}");
        assert_eq!(place.lines("a"), Vec::<String>::new());
    };
    place.lay_out(&moment);
    std::fs::set_permissions(&ring, std::fs::Permissions::from_mode(0o640)).unwrap();
    refused("0600");
    place.lay_out(&moment);
    std::fs::hard_link(&ring, place.root.join("other")).unwrap();
    refused("more names");
    std::fs::remove_file(&ring).unwrap();
    std::fs::write(place.root.join("elsewhere"), bytes).unwrap();
    symlink(place.root.join("elsewhere"), &ring).unwrap();
    refused("refused");
    std::fs::remove_file(&ring).unwrap();
    std::fs::create_dir(&ring).unwrap();
    refused("refused");
    std::fs::remove_dir(&ring).unwrap();
    let mut foreign = moment.clone();
    foreign.rings.insert(name.clone(), b"#!/bin/sh\n".repeat(100));
    place.lay_out(&foreign);
    refused("not the memory of a ring");
    // A link to the directory, and one that others may write to.
    let link = place.root.join("link");
    symlink(place.rings(), &link).unwrap();
    assert!(crate::durable::recover(&link).unwrap_err().to_string().contains("no link"));
    std::fs::set_permissions(place.rings(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = Engine::new(config(&place)).unwrap_err().to_string();
    assert!(error.contains("nobody else may write to"), "{error}");
}

#[test]
fn what_nobody_finished_making_is_removed_once_its_maker_is_gone() {
    let place = Place::new();
    let this = this(0, 0);
    let mine = format!("{}-{}-{}-7-1.new", this.process, this.started, this.space);
    let gone = format!("{}-{}-{}-7-1.new", this.process, this.started + 1, this.space);
    for name in [&mine, &gone, &"notes.txt".to_owned()] {
        let directory = Directory::open(&place.rings(), false).unwrap();
        drop(directory.make(name).unwrap());
    }
    assert_eq!(place.recover(), Recovery::default());
    let mut left: Vec<_> = files(&place.rings()).map(|(name, _)| name).collect();
    left.sort();
    assert_eq!(left, [mine, "notes.txt".into()]);
}

fn ring_file() -> &'static [u8] {
    static FILE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    FILE.get_or_init(|| three_records().1.rings.into_values().next().unwrap())
}

/// Words of a file that say how long something is, or where; and words that lie about that.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        Just(u64::MAX),
        Just(1 << 63),
        Just(u64::from(u32::MAX)),
        (0u64..64).prop_map(|len| 0x6C62_0002 << 32 | len),
        (0u64..1 << 20).prop_map(|position| position & !7),
    ]
}

proptest! {
    #[test]
    fn whatever_words_were_changed_it_is_read_without_a_panic(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), word()), 1..12),
        repaired in any::<bool>(),
    ) {
        let mut bytes = ring_file().to_vec();
        let used: Vec<usize> =
            (0..bytes.len() / 8).filter(|word| bytes[8 * word..][..8] != [0; 8]).collect();
        for (at, word) in changes {
            // Also the word behind one that is used, which may be the next frame's.
            let at = used[at.index(used.len())] + at.index(2);
            bytes[8 * at..][..8].copy_from_slice(&word.to_ne_bytes());
        }
        if repaired {
            let sum = logboom_ring::crc32(&bytes[..128]);
            bytes[128..132].copy_from_slice(&sum.to_ne_bytes());
        }
        let frames = read_as_recovery(&bytes).unwrap_or(0);
        prop_assert!(frames <= bytes.len() / 8);
    }
}
