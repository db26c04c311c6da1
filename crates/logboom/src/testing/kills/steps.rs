//! Every step of the writer, for each kind of sink and what may come between.

use super::*;
use crate::sink::{RotatingFileSinkSpec, Rotation, WatchedFileSinkSpec};
use crate::testing::{Fault, FaultFs, Operation, When};

#[test]
fn a_file_has_each_line_once_wherever_its_process_is_killed() {
    let place = Place::new();
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 5)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[3, 1, 0, 4]);
    assert!(engine.shutdown(None).completed);
    assert_eq!(files(&place.rings()).count(), 0, "a clean end leaves nothing");
    assert_eq!(place.lines("a"), expected(8));
    place.step();
    let checked = place.check_all(|said| {
        let lines = place.lines("a");
        // One call may have been under way.
        assert!(lines == expected(said) || lines == expected(said + 1), "{said}: {lines:?}");
    });
    assert!(checked > 60, "{checked}");
}

#[test]
fn routes_and_sinks_have_each_what_is_theirs() {
    let place = Place::new();
    let fs = stepped(&place, 11);
    let open = |name: &str| -> Arc<dyn SinkSpec> {
        Arc::new(FileSinkSpec::open(place.log(name), FileMode::Append, &fs).unwrap())
    };
    let engine = Engine::new(config(&place)).unwrap();
    let (a, b) = (open("a"), open("b"));
    let [a1, a2, b] = [a.clone(), a, b].map(|sink| route(&engine, sink));
    for round in 0..3 {
        for (name, routes) in [("one", &[a1][..]), ("two", &[b]), ("three", &[b, a2])] {
            say(&place, &engine, &format!("{round} {name}"), routes);
        }
        place.step();
        assert!(engine.flush(None).is_done());
    }
    drop(engine);
    let all = |names: &[&str]| -> Vec<String> {
        (0..3).flat_map(|round| names.iter().map(move |name| format!("{round} {name}"))).collect()
    };
    place.check_all(|said| {
        let rounds = said / 3;
        for (log, names) in [("a", ["one", "three"]), ("b", ["two", "three"])] {
            let (lines, all) = (place.lines(log), all(&names));
            assert!(lines.len() >= 2 * rounds && all.starts_with(&lines), "{said}: {lines:?}");
        }
    });
}

#[test]
fn a_file_that_rotates_has_each_line_once_wherever_its_process_is_killed() {
    // Some rotations of a batch at a time, and all of the files of before gone by them.
    for backup_count in [50, 4] {
        let place = Place::new();
        let rotation = Rotation { max_bytes: 30, backup_count, rotates_empty: false };
        let fs = stepped(&place, 8);
        let sink = RotatingFileSinkSpec::open(place.log("a"), rotation, fs).unwrap();
        let engine = Engine::new(config(&place)).unwrap();
        let route = route(&engine, Arc::new(sink));
        work(&place, &engine, &[route], &[2, 9, 1, 5, 18]);
        drop(engine);
        let whole = expected(35);
        assert!(whole.ends_with(&place.lines("a")));
        place.check_all(|said| {
            let lines = place.lines("a");
            let (last, least) = (said.max(1), if backup_count == 50 { said } else { 0 });
            let is = |count: usize| whole[..count.min(35)].ends_with(&lines);
            assert!(is(said) || is(last + 1), "{said}: {lines:?}");
            assert!(lines.len() >= least, "{said}: {lines:?}");
        });
    }
}

#[test]
fn a_file_that_is_moved_away_is_found() {
    let place = Place::new();
    let sink = WatchedFileSinkSpec::open(place.log("a"), stepped(&place, 6)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2]);
    std::fs::rename(place.log("a"), place.log("a.1")).unwrap();
    place.step();
    work(&place, &engine, &[route], &[3, 2]);
    drop(engine);
    place.check_all(|said| {
        let lines = place.lines("a");
        assert!(lines == expected(said) || lines == expected(said + 1), "{said}: {lines:?}");
    });
}

#[test]
fn the_rings_of_a_process_are_recovered_in_their_order() {
    let place = Place::new();
    let fs = stepped(&place, 7);
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &fs).unwrap();
    let mut engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    for round in 0..3 {
        for _ in 0..3 {
            let line = format!("line {}", place.said.load(Ordering::Relaxed));
            say(&place, &engine, &line, &[route]);
        }
        place.step();
        // What is in the ring stays there, to be written before what comes next.
        engine =
            engine.successor(config(&place).capacity_bytes((64 << 10) << (round % 2))).unwrap();
        place.step();
    }
    assert!(files(&place.rings()).count() >= 2);
    assert!(engine.flush(None).is_done());
    assert_eq!(files(&place.rings()).count(), 1, "only the newest has something to say");
    drop(engine);
    place.check_all(|said| {
        let lines = place.lines("a");
        assert!(lines == expected(said) || lines == expected(said + 1), "{said}: {lines:?}");
    });
}

#[test]
fn a_disk_that_is_full_leaves_no_torn_line_and_repeats_none() {
    let place = Place::new();
    let faulty = FaultFs::new(SystemFs);
    for n in (3..60).step_by(4) {
        faulty.inject(Operation::Write, When::At(n), Fault::Error(io::ErrorKind::StorageFull));
    }
    let fs = SteppedFs { place: Arc::clone(&place), below: Arc::new(faulty), piece: 5 };
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &fs).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    for _ in 0..6 {
        for _ in 0..3 {
            let line = format!("line {}", place.said.load(Ordering::Relaxed));
            say(&place, &engine, &line, &[route]);
        }
        let _ = engine.flush(None);
        place.step();
    }
    drop(engine);
    place.check_all(|_| {
        let lines = place.lines("a");
        let numbers: Vec<usize> =
            lines.iter().map(|line| line.strip_prefix("line ").unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{lines:?}");
    });
}

#[test]
fn what_is_not_in_the_ring_leaves_no_torn_line_behind() {
    let place = Place::new();
    let sink =
        FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 9000)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2]);
    let long = "x".repeat(20_000);
    say(&place, &engine, &long, &[route]);
    place.step();
    work(&place, &engine, &[route], &[2]);
    drop(engine);
    place.check_all(|said| {
        let lines = place.lines("a");
        let mut whole = expected(5);
        whole[2].clone_from(&long);
        assert!(lines == whole[..said] || lines == whole[..(said + 1).min(5)], "{said}");
    });
}

#[test]
fn a_line_of_others_behind_ours_is_left_alone() {
    let place = Place::new();
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 5)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2, 3]);
    drop(engine);
    let mut moments = place.moments.lock().unwrap();
    moments.retain(|moment| moment.logs.contains_key("a"));
    for moment in moments.iter_mut() {
        if let Some((_, bytes)) = moment.logs.get_mut("a") {
            bytes.extend_from_slice(b"others\n");
        }
    }
    drop(moments);
    place.check_all(|said| {
        let lines = place.lines("a");
        let whole = expected(5);
        for line in &whole[..said] {
            assert_eq!(lines.iter().filter(|one| *one == line).count(), 1, "{said}: {lines:?}");
        }
        assert_eq!(lines.iter().filter(|line| line.ends_with("others")).count(), 1);
    });
}

#[test]
fn a_file_that_others_write_to_gets_every_line_at_least_once() {
    let place = Place::new();
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 500)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2]);
    std::io::Write::write_all(
        &mut std::fs::File::options().append(true).open(place.log("a")).unwrap(),
        b"others\n",
    )
    .unwrap();
    work(&place, &engine, &[route], &[2]);
    for n in 4..7 {
        say(&place, &engine, &format!("line {n}"), &[route]);
    }
    place.step();
    let moment = place.moments.lock().unwrap().pop().unwrap();
    drop(engine);
    place.lay_out(&moment);
    let recovery = place.recover();
    assert!(!recovery.rings[0].places[0].exactly_once, "{recovery:?}");
    let lines = place.lines("a");
    assert_eq!(
        lines.iter().filter(|line| *line != "others").cloned().collect::<Vec<_>>(),
        expected(7)
    );
    let text = std::fs::read_to_string(place.log("a")).unwrap();
    assert!(text.contains("some may have been written before"), "{text}");
}
