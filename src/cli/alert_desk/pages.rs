//! Some of the alerts, in the order of the list, as they stand: the published ones, with those that somebody did
//! something with since put where they belong now.

use anyhow::Result;

use super::Asked;
use crate::render::alerts::{AlertList, AlertQuestion, Listed};

/// From a list that holds all that may be asked for. `acted`: as published, and as they stand.
pub(super) fn of_file(
    list: &mut AlertList,
    question: &AlertQuestion,
    acted: Vec<(Listed, Listed)>,
) {
    for (_, now) in acted {
        if let Some(listed) = list.alerts.iter_mut().find(|alert| alert.id == now.id) {
            *listed = now;
        }
    }
    if question.status.is_some() || question.domain.is_some() {
        list.alerts.retain(|alert| question.takes(alert));
        list.matching = list.alerts.len() as u64;
    }
    list.sort();
    let behind = question.offset.min(list.alerts.len());
    list.alerts.drain(..behind);
    list.alerts.truncate(question.limit);
    list.offset = question.offset as u64;
}

/// From the published database, which has all.
pub(super) fn of_database(
    list: &mut AlertList,
    question: &AlertQuestion,
    acted: Vec<(Listed, Listed)>,
    asked: &Asked<'_>,
) -> Result<()> {
    let ids: Vec<String> = acted.iter().map(|(_, now)| now.id.clone()).collect();
    let but: Vec<&str> = ids.iter().map(String::as_str).collect();
    let now = acted.into_iter().map(|(_, now)| now);
    let mut moved: Vec<Listed> = now.filter(|alert| question.takes(alert)).collect();
    moved.sort_by(Listed::before);
    list.matching = asked.count(question, &but)? + moved.len() as u64;
    list.offset = question.offset as u64;
    // However many of the moved ones come before, what is asked for lies in this part of the others.
    let behind = question.offset.saturating_sub(moved.len());
    let part = AlertQuestion {
        offset: behind,
        limit: question.limit + (question.offset - behind),
        ..question.clone()
    };
    let mut others = Vec::new();
    asked.each(&part, &but, &mut |alert| others.push(alert))?;
    list.alerts = merged(moved, others, behind, question);
    Ok(())
}

/// `others` are those from `behind` on.
fn merged(
    moved: Vec<Listed>,
    others: Vec<Listed>,
    behind: usize,
    question: &AlertQuestion,
) -> Vec<Listed> {
    let earlier = match others.first() {
        _ if behind == 0 => 0,
        Some(first) => moved.partition_point(|alert| alert.before(first).is_lt()),
        // Those before and the moved ones together are no more than come before what is asked for.
        None => return Vec::new(),
    };
    let mut all: Vec<Listed> = moved.into_iter().skip(earlier).chain(others).collect();
    all.sort_by(Listed::before);
    let first = question.offset - behind - earlier;
    all.into_iter().skip(first).take(question.limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(number: usize) -> Listed {
        Listed {
            id: format!("{number:03}"),
            ..Listed::default()
        }
    }

    #[test]
    fn each_part_is_the_same_as_of_the_whole() {
        // The order is by id here; every seventh was moved.
        let all: Vec<Listed> = (0..100).map(alert).collect();
        for moved_each in [1, 3, 7, 50, 1000] {
            let is_moved = |alert: &Listed| alert.id.parse::<usize>().unwrap() % moved_each == 0;
            let (moved, others): (Vec<_>, Vec<_>) = all.iter().cloned().partition(is_moved);
            for offset in 0..110 {
                for limit in [1, 2, 13, 200] {
                    let question = AlertQuestion {
                        offset,
                        limit,
                        ..AlertQuestion::default()
                    };
                    let behind = offset.saturating_sub(moved.len());
                    let part = others.iter().skip(behind).take(limit + offset - behind);
                    let got = merged(moved.clone(), part.cloned().collect(), behind, &question);
                    let expect: Vec<Listed> =
                        all.iter().skip(offset).take(limit).cloned().collect();
                    assert_eq!(got, expect, "{moved_each} {offset} {limit}");
                }
            }
        }
    }
}
