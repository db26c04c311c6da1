//! Which process a ring belongs to, and whether it lives.
//!
//! A number alone is not enough: it is given again, also after the machine was started anew, and a
//! container has numbers of its own. So a ring names its owner by number, moment of start, start of the
//! machine and space of numbers. Outside facts: `proc(5)`, fields 3 and 22 of `/proc/PID/stat`;
//! `/proc/sys/kernel/random/boot_id`; `namespaces(7)` for `/proc/PID/ns/pid`.

use logboom_ring::Owner;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// This process, as the owner of a ring; asked anew each time, since it may be a forked child.
pub(crate) fn this(created_ns: i64, number: u32) -> Owner {
    let process = std::process::id();
    let started = stat(process).map_or(0, |(_, started)| started);
    Owner { process, started, boot: boot(), space: space(), created_ns, number }
}

/// Tells this program from the one that the process was before, if it became this one by `exec`: what
/// was in memory is gone then, while number and start are the same. A forked child has its parent's.
pub(super) fn image() -> u64 {
    static IMAGE: OnceLock<u64> = OnceLock::new();
    *IMAGE.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() as u64
    })
}

/// Whether the owner lives, as far as numbers tell. Of a process in another space they do not: what
/// tells then is the lock.
pub(crate) fn lives(owner: &Owner) -> bool {
    if owner.started == 0 || owner.boot != boot() || owner.space != space() {
        return false;
    }
    // A zombie has ended: it has no memory, and waits for its parent to hear of it.
    stat(owner.process)
        .is_some_and(|(state, started)| started == owner.started && !matches!(state, b'Z' | b'X'))
}

/// State and start of a process.
fn stat(process: u32) -> Option<(u8, u64)> {
    let text = fs::read(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything; behind its end no parenthesis can be.
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let text = std::str::from_utf8(&text[end + 1..]).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let started = fields.nth(18)?.parse().ok()?;
    Some((state, started))
}

/// The start of the machine, as 16 bytes; zeros where the system does not tell.
fn boot() -> [u8; 16] {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or_default().to_be_bytes()
}

/// The space of process numbers; 0 where the system does not tell.
fn space() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |metadata| metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_like_it_does_not() {
        let this = this(0, 0);
        assert!(lives(&this), "{this:?}");
        assert!(!lives(&Owner { started: this.started + 1, ..this }));
        assert!(!lives(&Owner { boot: [1; 16], ..this }));
        assert!(!lives(&Owner { space: this.space + 1, ..this }));
        assert!(!lives(&Owner { process: u32::MAX, ..this }));
        assert!(!lives(&Owner { started: 0, ..this }));
    }

    #[test]
    fn a_zombie_has_ended() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let (_, started) = stat(child.id()).unwrap();
        let owner = Owner { process: child.id(), started, ..this(0, 0) };
        assert!(lives(&owner));
        child.kill().unwrap();
        // Until it is waited for it stays what it is.
        while stat(child.id()).unwrap().0 != b'Z' {
            std::thread::yield_now();
        }
        assert!(!lives(&owner));
        child.wait().unwrap();
    }
}
