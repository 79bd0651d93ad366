//! Content tokens with letters whose lower case has another number of bytes (`İ`, `ẞ`, `K`).

use super::ops::BLOCK;
use super::scan::char_at;

/// Lower-cases the tokens that have such letters, at these ascending places, behind the chunk, and
/// has their beginning and end point there.
#[cold]
pub(super) fn lower_resized(
    raw: &[u8],
    low: &mut Vec<u8>,
    places: &[u32],
    starts: &mut [u32],
    ends: &mut [u32],
) {
    // From the last to the first: what points behind the chunk is not searched again.
    let mut searched = starts.len();
    for place in places.iter().rev() {
        let behind = starts[..searched].partition_point(|start| *start <= *place);
        let Some(at) = behind.checked_sub(1) else { continue };
        if ends[at] <= *place {
            continue;
        }
        searched = at;
        let from = low.len();
        let (mut next, end) = (starts[at] as usize, ends[at] as usize);
        while let Some(ch) = (next < end).then(|| char_at(raw, next)).flatten() {
            next += ch.len_utf8();
            let mut bytes = [0; 4];
            for lower in ch.to_lowercase() {
                low.extend_from_slice(lower.encode_utf8(&mut bytes).as_bytes());
            }
        }
        (starts[at], ends[at]) = (from as u32, low.len() as u32);
        low.extend_from_slice(&[0; BLOCK]);
    }
}
