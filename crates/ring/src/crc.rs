//! A checksum for what is written once and read by a stranger: CRC-32 with the polynomial of IEEE 802.3,
//! as `cksum -a crc32b` and zip compute it.
//!
//! It tells damage, not forgery: whoever may write to the file can write the right sum.

use crc32fast::Hasher;

/// The checksum of these bytes.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// The checksum of these bytes, one part behind the other.
pub(crate) fn crc32_of(parts: &[&[u8]]) -> u32 {
    let mut hasher = Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_that_others_compute() {
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926, "the check value of the catalogue");
        assert_eq!(crc32_of(&[b"1234", b"", b"56789"]), 0xCBF4_3926);
    }
}
