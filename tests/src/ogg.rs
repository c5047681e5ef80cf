//! Ogg Opus files (RFC 3533, RFC 7845), as far as ffmpeg needs them: reads and writes packets.

/// Returns the Opus packets of a file, without its two headers.
#[track_caller]
pub fn packets(mut file: &[u8]) -> Vec<Vec<u8>> {
    let (mut packets, mut packet) = (Vec::new(), Vec::new());
    while !file.is_empty() {
        assert_eq!(&file[..4], b"OggS", "a page");
        let lacing = &file[27..27 + usize::from(file[26])];
        let mut body = &file[27 + lacing.len()..];
        for &size in lacing {
            let (part, rest) = body.split_at(usize::from(size));
            packet.extend_from_slice(part);
            body = rest;
            if size < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        file = body;
    }
    packets.split_off(2)
}

/// Returns a stereo file of these packets of 20 ms.
pub fn file<'a>(packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let head = [b"OpusHead\x01\x02", &[0, 0][..], &48_000u32.to_le_bytes(), &[0, 0, 0]].concat();
    let mut out = page(&head, 0, 0);
    out.extend(page(b"OpusTags\0\0\0\0\0\0\0\0", 0, 1));
    for (n, packet) in packets.into_iter().enumerate() {
        out.extend(page(packet, (n as u64 + 1) * 960, n as u32 + 2));
    }
    out
}

/// Returns a page with one packet.
fn page(packet: &[u8], samples: u64, number: u32) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(if number == 0 { 2 } else { 0 });
    page.extend(samples.to_le_bytes());
    page.extend(1u32.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    let full = packet.len() / 255;
    page.push(full as u8 + 1);
    page.extend(std::iter::repeat_n(255, full));
    page.push((packet.len() % 255) as u8);
    page.extend_from_slice(packet);
    let checksum = page.iter().fold(0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
            if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 }
        })
    });
    page[22..26].copy_from_slice(&checksum.to_le_bytes());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let sent: Vec<Vec<u8>> = [1usize, 254, 255, 256, 700].iter().map(|n| vec![*n as u8; *n]).collect();
        assert_eq!(packets(&file(sent.iter().map(Vec::as_slice))), sent);
    }
}
