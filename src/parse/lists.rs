//! Lists of texts, which strangers make as long as they like.

use super::oddities::Oddities;
use crate::model::limits::Limits;

/// Keeps as much of a list as the limits allow one text and one record: rows are held in memory by the thousand.
pub(super) fn shorten(
    list: &mut Vec<String>,
    field: &str,
    limits: &Limits,
    oddities: &mut Oddities,
) {
    let mut bytes = 0;
    let fits = |text: &&String| {
        bytes += text.len();
        bytes <= limits.text_bytes
    };
    let most = limits.results_per_record as usize;
    let kept = list.iter().take(most).take_while(fits).count();
    if kept < list.len() {
        list.truncate(kept);
        list.shrink_to_fit();
        oddities.note("list-cut", || format!("{field} to {kept}"));
    }
}
