//! Days of domains that changed -> what a rule has to be asked again.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{Reach, Rule};
use crate::model::day::{Day, days_after, days_before};

/// Days of domains about which something is new.
pub type Touched = BTreeMap<String, BTreeSet<Day>>;

/// What a rule is asked in one go: its answer takes the place of all that it found there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// These domains alone; `None`: all, and what is about none.
    pub domains: Option<Vec<String>>,
    /// First day.
    pub since: Day,
    /// The day behind the last one.
    pub until: Day,
}

/// What a rule has to be asked where these days changed; `until` is the day behind the last one that is judged at all.
///
/// Days that lie close together are asked about together, for all domains that changed there: mostly that is one
/// question for a run.
pub fn scopes(rule: &Rule, touched: &Touched, until: Day) -> Vec<Scope> {
    let days = match rule.reach {
        None => return vec![Scope::whole(until)],
        Some(Reach::Domain) => {
            return Scope::of_domains(touched.keys().cloned().collect(), Day::MIN, until);
        }
        Some(Reach::On(days)) => return onwards(touched, days, until),
        Some(Reach::Days(days)) => days,
    };
    let mut by_day: BTreeMap<Day, BTreeSet<&str>> = BTreeMap::new();
    for (domain, days) in touched {
        for day in days {
            by_day.entry(*day).or_default().insert(domain);
        }
    }
    let mut clusters: Vec<(Day, Day, BTreeSet<&str>)> = Vec::new();
    for (day, domains) in by_day {
        let (since, behind) = (days_before(day, days), days_after(day, days + 1));
        match clusters.last_mut() {
            Some((_, end, inside)) if *end >= since => {
                *end = behind;
                inside.extend(domains);
            }
            _ => clusters.push((since, behind, domains)),
        }
    }
    let scope = |(since, behind, domains): (Day, Day, BTreeSet<&str>)| {
        let domains = domains.into_iter().map(str::to_owned).collect();
        Scope::of_domains(domains, since, behind.min(until))
    };
    clusters.into_iter().flat_map(scope).collect()
}

/// Days that are this much older than the last one are late: who is asked about them is asked about much.
const LATE_DAYS: u64 = 60;

/// From the first day that changed on: for domains with nothing late in one question, for the others in another.
fn onwards(touched: &Touched, days: u64, until: Day) -> Vec<Scope> {
    let recent = days_before(until, LATE_DAYS);
    let (mut of_late, mut of_recent) = ((Vec::new(), until), (Vec::new(), until));
    for (domain, changed) in touched {
        let Some(first) = changed.first() else {
            continue;
        };
        let since = days_before(*first, days);
        let (domains, earliest) = if since < recent {
            &mut of_late
        } else {
            &mut of_recent
        };
        domains.push(domain.clone());
        *earliest = since.min(*earliest);
    }
    let scope = |(domains, since)| Scope::of_domains(domains, since, until);
    [of_late, of_recent].into_iter().flat_map(scope).collect()
}

impl Scope {
    /// All domains and days.
    pub fn whole(until: Day) -> Self {
        Self {
            domains: None,
            since: Day::MIN,
            until,
        }
    }

    /// Nothing where it is empty.
    fn of_domains(domains: Vec<String>, since: Day, until: Day) -> Vec<Self> {
        if domains.is_empty() || since >= until {
            return Vec::new();
        }
        vec![Self {
            domains: Some(domains),
            since,
            until,
        }]
    }
}
