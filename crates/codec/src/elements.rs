//! The elements of a list that stands where events do.
//!
//! A record may hold very many elements of a byte or two. So of those that are no events, being no
//! objects or objects without keys, the first of either kind stands for all of it: they come to a
//! row or two, however many there are (law 6), and the record they are in does not disappear.

use crate::json::{Kind, Value};
use crate::record::Record;

/// Every element of a list, or the one value that stands for it; see above.
pub(crate) fn each<'a>(
    record: &mut Record<'_>,
    list: Value<'a>,
    mut then: impl FnMut(&mut Record<'_>, Value<'a>),
) {
    if list.kind() != Kind::Array {
        return then(record, list);
    }
    let (mut seen_other, mut seen_hollow) = (false, false);
    for (at, element) in list.items().enumerate() {
        let seen = match element.kind() {
            Kind::Object if element.is_hollow() => Some(&mut seen_hollow),
            Kind::Object => None,
            _ => Some(&mut seen_other),
        };
        if seen.is_some_and(|seen| std::mem::replace(seen, true)) {
            continue;
        }
        record.path.index(at);
        then(record, element);
        record.path.pop();
    }
}
