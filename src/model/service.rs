//! Well-known services that send mail for others: `services.csv` -> services, or everything that is wrong with it.

use std::collections::BTreeMap;

use super::domain::is_host_name;

/// The list that is part of the program.
pub const EMBEDDED: &str = include_str!("../../queries/seeds/services.csv");

/// Services that one file may name.
const MOST_SERVICES: usize = 10_000;

/// Columns of the file; only [`REQUIRED`] have to be there.
const COLUMNS: [&str; 12] = [
    "service",
    "name",
    "kind",
    "dkim_domains",
    "dkim_selectors",
    "mail_from_domains",
    "ptr_domains",
    "spf_include",
    "aligns_spf",
    "aligns_dkim",
    "rides_on",
    "comment",
];

const REQUIRED: [&str; 3] = ["service", "name", "kind"];

/// Words in column `kind`.
pub const KINDS: [&str; 11] = [
    "mailbox",
    "host",
    "transactional",
    "marketing",
    "crm",
    "ticketing",
    "saas",
    "finance",
    "relay",
    "gateway",
    "forwarder",
];

/// Words in columns `aligns_spf` and `aligns_dkim`; an empty cell means that nobody knows.
const ALIGNS: [&str; 3] = ["yes", "partial", "no"];

/// A service and the evidence by which its mail is recognised.
///
/// In evidence `#` stands for one digit; `*` in a selector for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// Lower-case letters, digits and hyphens.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One of [`KINDS`].
    pub kind: String,
    /// `d=` of signatures that it makes in its own name, subdomains included.
    pub dkim_domains: Vec<String>,
    /// Selectors that nobody else uses, for signatures in the name of its customers.
    pub dkim_selectors: Vec<String>,
    /// Domains of its return paths, subdomains included.
    pub mail_from_domains: Vec<String>,
    /// Domains of the names of its hosts, subdomains included.
    pub ptr_domains: Vec<String>,
    /// What its customers include into their SPF records; no evidence.
    pub spf_include: Vec<String>,
    /// Whether SPF can align with the customer's domain: yes, partial, no; empty where unknown.
    pub aligns_spf: String,
    /// Whether DKIM can.
    pub aligns_dkim: String,
    /// Services that carry its mail, by id.
    pub rides_on: Vec<String>,
}

/// What does not hold in a file of services.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line in the file, from 1.
    pub line: usize,
    /// One sentence.
    pub message: String,
}

/// Reads the text of a `services.csv`: the services, sorted by id, or every fault.
pub fn read(text: &str) -> Result<Vec<Service>, Vec<Fault>> {
    let mut reading = Reading::default();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes());
    match reader.headers() {
        Ok(header) => reading.header(&header.clone()),
        Err(error) => reading.fault(1, said(&error)),
    }
    if reading.faults.is_empty() {
        for row in reader.records() {
            match row {
                Ok(row) => reading.row(&row),
                Err(error) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    reading.fault(line as usize, said(&error));
                }
            }
        }
    }
    reading.end()
}

fn said(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells, the first line has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

#[derive(Default)]
struct Reading {
    /// Where each of [`COLUMNS`] stands.
    places: Vec<Option<usize>>,
    /// With the line of each.
    services: Vec<(usize, Service)>,
    faults: Vec<Fault>,
}

impl Reading {
    fn fault(&mut self, line: usize, message: String) {
        self.faults.push(Fault { line, message });
    }

    fn header(&mut self, header: &csv::StringRecord) {
        for name in header.iter().filter(|name| !COLUMNS.contains(name)) {
            let known = COLUMNS.join(", ");
            self.fault(1, format!("unknown column `{name}`; known are {known}"));
        }
        let place = |column: &&str| header.iter().position(|name| name == *column);
        self.places = COLUMNS.iter().map(place).collect();
        for column in REQUIRED {
            if !header.iter().any(|name| name == column) {
                self.fault(1, format!("there is no column `{column}`"));
            }
        }
    }

    fn row(&mut self, row: &csv::StringRecord) {
        let line = row.position().map_or(1, csv::Position::line) as usize;
        if self.services.len() == MOST_SERVICES {
            return self.fault(line, format!("more than {MOST_SERVICES} services"));
        }
        let cell = |column: usize| {
            let place = self.places.get(column).copied().flatten();
            place.and_then(|at| row.get(at)).unwrap_or_default()
        };
        let list = |column: usize| -> Vec<String> {
            let words = cell(column).split_whitespace();
            words.map(str::to_ascii_lowercase).collect()
        };
        let service = Service {
            id: cell(0).to_owned(),
            name: cell(1).to_owned(),
            kind: cell(2).to_owned(),
            dkim_domains: list(3),
            dkim_selectors: list(4),
            mail_from_domains: list(5),
            ptr_domains: list(6),
            spf_include: list(7),
            aligns_spf: cell(8).to_owned(),
            aligns_dkim: cell(9).to_owned(),
            rides_on: list(10),
        };
        for message in service.faults() {
            self.fault(line, message);
        }
        self.services.push((line, service));
    }

    fn end(mut self) -> Result<Vec<Service>, Vec<Fault>> {
        self.compare();
        if self.faults.is_empty() {
            let mut services: Vec<Service> = self.services.into_iter().map(|(_, s)| s).collect();
            services.sort();
            return Ok(services);
        }
        self.faults.sort();
        Err(self.faults)
    }

    /// What holds between services: ids and evidence are of one alone, and carriers are there.
    fn compare(&mut self) {
        let mut of_id: BTreeMap<&str, usize> = BTreeMap::new();
        let mut of_value: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        let mut faults = Vec::new();
        for (line, service) in &self.services {
            if let Some(first) = of_id.insert(&service.id, *line) {
                let message = format!("`{}` is on line {first} already", service.id);
                faults.push((*line, message));
            }
            for (mechanism, value) in service.evidence() {
                match of_value.insert((mechanism, value), &service.id) {
                    Some(other) if other != service.id => {
                        let message =
                            format!("{mechanism} `{value}` is evidence of `{other}` already");
                        faults.push((*line, message));
                    }
                    _ => {}
                }
            }
        }
        for (line, service) in &self.services {
            for carrier in &service.rides_on {
                if !of_id.contains_key(carrier.as_str()) || *carrier == service.id {
                    faults.push((*line, format!("`rides_on` names no service: `{carrier}`")));
                }
            }
        }
        for (line, message) in faults {
            self.fault(line, message);
        }
    }
}

impl Service {
    /// Every piece of evidence with its mechanism: `dkim`, `selector`, `spf` or `host`.
    pub fn evidence(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lists = [
            ("dkim", &self.dkim_domains),
            ("spf", &self.mail_from_domains),
            ("selector", &self.dkim_selectors),
            ("host", &self.ptr_domains),
        ];
        lists
            .into_iter()
            .flat_map(|(mechanism, list)| list.iter().map(move |value| (mechanism, value.as_str())))
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(is_id) {
            let id = &self.id;
            faults.push(format!(
                "`service` has lower-case letters, digits and hyphens, not `{id}`"
            ));
        }
        if self.name.is_empty() || self.name.len() > 100 {
            faults.push("`name` has 1 to 100 bytes".to_owned());
        }
        if !KINDS.contains(&self.kind.as_str()) {
            let (kind, kinds) = (&self.kind, KINDS.join(", "));
            faults.push(format!("`kind` is one of {kinds}, not `{kind}`"));
        }
        for (column, word) in [
            ("aligns_spf", &self.aligns_spf),
            ("aligns_dkim", &self.aligns_dkim),
        ] {
            if !word.is_empty() && !ALIGNS.contains(&word.as_str()) {
                faults.push(format!(
                    "`{column}` is yes, partial, no or empty, not `{word}`"
                ));
            }
        }
        for (mechanism, value) in self.evidence() {
            if !is_evidence(mechanism, value) {
                faults.push(format!("`{value}` is no {mechanism} evidence"));
            }
        }
        faults
    }
}

/// Whether a value can be compared with what reports say: a domain of two labels or more, or a selector.
fn is_evidence(mechanism: &str, value: &str) -> bool {
    if mechanism == "selector" {
        // A star alone would be everybody's.
        return value.trim_matches('*').len() > 1 && is_host_name(&plain(value).replace('*', "x"));
    }
    let last = value.rsplit('.').next().unwrap_or_default();
    value.contains('.') && !last.contains('#') && is_host_name(&plain(value))
}

/// With a digit in the place of each `#`.
fn plain(value: &str) -> String {
    value.replace('#', "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_the_program_holds() {
        let services = read(EMBEDDED).unwrap();
        assert!(services.len() >= 126, "{}", services.len());
        // These show themselves in nothing that is theirs alone.
        let silent: Vec<&str> = (services.iter())
            .filter(|service| service.evidence().next().is_none())
            .map(|service| service.id.as_str())
            .collect();
        assert_eq!(
            silent,
            ["emailoctopus", "icloud-hide-my-email", "lettermint"]
        );
    }

    #[test]
    fn selectors_that_many_use_are_evidence_of_nobody() {
        let services = read(EMBEDDED).unwrap();
        let everybodys = [
            "k1",
            "s1",
            "s2",
            "default",
            "mail",
            "dkim",
            "selector1",
            "selector2",
            "m1",
            "api",
        ];
        for service in services {
            for selector in &service.dkim_selectors {
                assert!(!everybodys.contains(&selector.as_str()), "{selector}");
            }
        }
    }

    #[test]
    fn each_fault_is_named_with_its_line() {
        let header = "service,name,kind,dkim_domains,dkim_selectors,rides_on\n";
        for (rows, expect) in [
            ("Bad Id,N,host,,,", "2: `service` has"),
            ("a,N,esp,,,", "2: `kind` is one of"),
            ("a,,host,,,", "2: `name` has"),
            ("a,N,host,com,,", "2: `com` is no dkim evidence"),
            ("a,N,host,a..com,,", "2: `a..com` is no dkim"),
            ("a,N,host,*.com,,", "2: `*.com` is no dkim"),
            ("a,N,host,,*,", "2: `*` is no selector"),
            ("a,N,host,,,b", "2: `rides_on` names no service: `b`"),
            ("a,N,host,,,a", "2: `rides_on` names no service: `a`"),
            ("a,N,host,,,\na,M,host,,,", "3: `a` is on line 2 already"),
            (
                "a,N,host,x.example,,\nb,M,host,X.example,,",
                "3: dkim `x.example` is evidence of `a` already",
            ),
            ("a,N,host", "2: 3 cells, the first line has 6"),
        ] {
            let faults = read(&format!("{header}{rows}\n")).unwrap_err();
            let said: Vec<String> = (faults.iter())
                .map(|fault| format!("{}: {}", fault.line, fault.message))
                .collect();
            assert!(said[0].starts_with(expect), "{rows}: {said:?}");
        }
        let faults = read("service,kind,colour\n").unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
    }

    #[test]
    fn a_file_needs_few_columns() {
        let services = read("kind,service,name\nhost,a,A\n").unwrap();
        assert_eq!((&*services[0].id, &*services[0].kind), ("a", "host"));
        assert_eq!(read("service,name,kind\n").unwrap(), []);
    }
}
