//! The processor's counter of ticks: a clock that costs a third of the system's, where it is one.

/// The counter, or 0 where there is none that [`ticks_are_steady`] could vouch for. Not ordered with what
/// stands around it; a few nanoseconds early or late.
#[inline]
pub fn ticks() -> u64 {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    {
        // SAFETY: reads a register of the processor, which every processor of this architecture has. A
        // system may forbid it to programs (`PR_SET_TSC`), and then ends them with a signal: only who
        // asked for that does so.
        unsafe { std::arch::x86_64::_rdtsc() }
    }
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    0
}

/// Whether the counter is the clock that the kernel itself goes by: then it has found that it runs at one
/// speed, also when processors sleep, and alike on all of them (`Documentation/timers/timekeeping.rst` and
/// `Documentation/ABI/testing/sysfs-devices-system-clocksource` in Linux). Reads a file.
pub fn ticks_are_steady() -> bool {
    let clock = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(all(target_arch = "x86_64", target_os = "linux", not(loom)))
        && std::fs::read_to_string(clock).is_ok_and(|name| name.trim() == "tsc")
}
