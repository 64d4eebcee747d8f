//! The query of an address -> which alerts are asked for.

use percent_encoding::percent_decode_str;

use crate::model::alert::Status;
use crate::model::domain::normalise;
use crate::render::alerts::{AlertQuestion, MOST_ALERTS};

/// Longest name of a domain in a question, in bytes.
const DOMAIN_BYTES: usize = 1_024;

/// From the query of an address; `None` where it asks nothing. An error says in words what means nothing.
pub(crate) fn question(query: Option<&str>) -> Result<Option<AlertQuestion>, String> {
    let mut question = AlertQuestion::default();
    let mut is_asked = false;
    for pair in query.unwrap_or_default().split('&') {
        let Some((key, value)) = pair.split_once('=') else {
            continue;
        };
        match key {
            "status" => question.status = Some(status(value)?),
            "domain" => question.domain = Some(domain(value)?),
            "limit" => question.limit = number(key, value, 1, MOST_ALERTS)?,
            "offset" => question.offset = number(key, value, 0, usize::MAX >> 8)?,
            _ => continue,
        }
        is_asked = true;
    }
    Ok(is_asked.then_some(question))
}

fn status(value: &str) -> Result<Status, String> {
    let known = Status::ALL
        .into_iter()
        .find(|known| known.as_str() == value);
    known.ok_or_else(|| "`status` is open, acknowledged or resolved".to_owned())
}

fn domain(value: &str) -> Result<String, String> {
    let decoded = percent_decode_str(value).decode_utf8();
    let name = decoded.map_err(|_| "`domain` is not UTF-8".to_owned())?;
    if name.is_empty() || name.len() > DOMAIN_BYTES {
        return Err("`domain` is the name of a domain".to_owned());
    }
    Ok(normalise(&name))
}

fn number(key: &str, value: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = value.parse().ok();
    let fits = number.filter(|number| (least..=most).contains(number));
    fits.ok_or_else(|| format!("`{key}` is a number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_comes_from_an_address_and_goes_back_into_one() {
        for (query, expect) in [
            (None, None),
            (Some(""), None),
            (Some("refresh=off&x"), None),
            (Some("offset=1000"), Some("offset=1000")),
            (
                Some("domain=a%26b%3Cc%20d"),
                Some("domain=a%26b%3Cc%20d&offset=0"),
            ),
            (
                Some("status=open&domain=Ex%41mple.com&limit=50&offset=7"),
                Some("status=open&domain=example.com&limit=50&offset=7"),
            ),
        ] {
            let asked = question(query).unwrap();
            let address = asked.map(|asked| asked.address(asked.offset));
            assert_eq!(address.as_deref(), expect, "{query:?}");
        }
    }

    #[test]
    fn what_means_nothing_is_said_by_its_key() {
        for query in [
            "status=closed",
            "limit=0",
            "limit=1001",
            "limit=",
            "offset=-1",
            "offset=99999999999999999999999",
            "domain=",
            "domain=%ff",
        ] {
            let why = question(Some(query)).unwrap_err();
            let key = query.split('=').next().unwrap();
            assert!(why.contains(&format!("`{key}`")), "{query}: {why}");
        }
    }
}
