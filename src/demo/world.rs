//! Who is who in the invented world: domains, reporters, and what happens when. All names and addresses are reserved
//! for documentation.

use super::DemoPlan;

/// A mail domain of the user.
#[derive(Debug, Clone, Copy)]
pub struct OwnDomain {
    /// Name.
    pub name: &'static str,
    /// Messages a day that all reporters together see on a working day.
    pub volume: u64,
    /// Published policy, at first and after the change in the middle of the plan.
    pub policy: [&'static str; 2],
    /// Last number of the addresses 192.0.2.N of its own servers.
    pub servers: &'static [u8],
    /// Whether the newsletter service sends for it.
    pub has_newsletter: bool,
    /// Whether forwarders and mailing lists carry its mail on.
    pub is_forwarded: bool,
    /// Weight of the background of forged mail, messages a day.
    pub forged: u64,
}

/// The user's domains: a big one, one with a bad week, a clean one, a young one.
pub const DOMAINS: [OwnDomain; 4] = [
    OwnDomain {
        name: "example.com",
        volume: 4_200,
        policy: ["quarantine", "quarantine"],
        servers: &[10, 11],
        has_newsletter: true,
        is_forwarded: true,
        forged: 30,
    },
    OwnDomain {
        name: "example.org",
        volume: 1_300,
        policy: ["none", "quarantine"],
        servers: &[20],
        has_newsletter: true,
        is_forwarded: true,
        forged: 12,
    },
    OwnDomain {
        name: "example.net",
        volume: 600,
        policy: ["reject", "reject"],
        servers: &[30, 31],
        has_newsletter: false,
        is_forwarded: false,
        forged: 0,
    },
    OwnDomain {
        name: "shop.example",
        volume: 350,
        policy: ["none", "none"],
        servers: &[40],
        has_newsletter: true,
        is_forwarded: true,
        forged: 5,
    },
];

/// How a reporter writes XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Two spaces a level.
    Pretty,
    /// Tabs.
    Tabs,
    /// All in one line, without a declaration.
    OneLine,
    /// Two spaces, in the namespace of dmarc-2.0, with the fields of RFC 9990.
    Namespaced,
    /// Two spaces, with schema namespaces and one row for each envelope recipient domain.
    PerEnvelope,
}

/// How a reporter sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// A mail whose only part is a zip file.
    ZipMail,
    /// A mail with a text and a gzip file.
    GzipMail,
    /// A mail with an HTML preview and a gzip file.
    PreviewMail,
    /// A mail with plain XML as attachment.
    XmlMail,
    /// A gzip file as saved from a mail.
    GzipFile,
}

/// A receiver that sends reports.
#[derive(Debug, Clone, Copy)]
pub struct Reporter {
    /// `org_name`.
    pub name: &'static str,
    /// Its domain.
    pub domain: &'static str,
    /// Share of the mail it sees, per mille.
    pub share: u64,
    /// How it writes.
    pub style: Style,
    /// How it sends.
    pub wrapping: Wrapping,
    /// Days between its reports.
    pub every_days: u64,
}

/// The reporters with a share of their own, big ones first.
pub const REPORTERS: [Reporter; 9] = [
    reporter(
        "bigmail.example",
        "bigmail.example",
        380,
        Style::Pretty,
        Wrapping::ZipMail,
        1,
    ),
    reporter(
        "Enterprise Outpost",
        "outpost.example",
        270,
        Style::PerEnvelope,
        Wrapping::PreviewMail,
        1,
    ),
    reporter(
        "Yonder",
        QUIET_REPORTER,
        140,
        Style::Tabs,
        Wrapping::GzipMail,
        1,
    ),
    reporter(
        "GMBX",
        "gmbx.example",
        70,
        Style::Namespaced,
        Wrapping::GzipMail,
        1,
    ),
    reporter(
        "Posta",
        "posta.example",
        45,
        Style::OneLine,
        Wrapping::GzipMail,
        1,
    ),
    reporter(
        "Fastpost",
        "fastpost.example",
        35,
        Style::Pretty,
        Wrapping::ZipMail,
        1,
    ),
    reporter(
        "campus.example",
        "campus.example",
        25,
        Style::Tabs,
        Wrapping::GzipFile,
        1,
    ),
    reporter(
        "mx.hosted.example",
        "hosted.example",
        20,
        Style::Pretty,
        Wrapping::XmlMail,
        1,
    ),
    reporter(
        "Weekly Post",
        "weekly.example",
        15,
        Style::Pretty,
        Wrapping::GzipMail,
        7,
    ),
];

/// A receiver with a server of its own; there are many.
pub const SMALL_HOST: Reporter = reporter(
    "small.example",
    "small.example",
    8,
    Style::Pretty,
    Wrapping::XmlMail,
    1,
);

/// The last number of the address 203.0.113.N that sends the wave, and nothing else.
pub const WAVE_SOURCE: u8 = 66;

/// The reporter that stops.
pub const QUIET_REPORTER: &str = "yonder.example";

const fn reporter(
    name: &'static str,
    domain: &'static str,
    share: u64,
    style: Style,
    wrapping: Wrapping,
    every_days: u64,
) -> Reporter {
    Reporter {
        name,
        domain,
        share,
        style,
        wrapping,
        every_days,
    }
}

/// What happens when, by the age of a day: 0 is the last day of the plan.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    days: u64,
}

impl Story {
    /// The story of a plan, stretched over its days.
    pub fn of(plan: &DemoPlan) -> Self {
        Self {
            days: u64::from(plan.days),
        }
    }

    /// A wave of forged mail for the first domain, all from [`WAVE_SOURCE`].
    pub fn is_wave(self, age: u64) -> bool {
        (self.days * 3 / 20..self.days * 5 / 20).contains(&age)
    }

    /// The second domain signs with a key that is not in its DNS any more.
    pub fn has_broken_dkim(self, age: u64) -> bool {
        let from = self.days * 11 / 20;
        (from..from + self.days.div_ceil(9)).contains(&age)
    }

    /// [`QUIET_REPORTER`] sends nothing on the first domain any more.
    pub fn is_quiet(self, age: u64) -> bool {
        age < (self.days / 4).min(9)
    }

    /// Published policies are those after the change.
    pub fn is_policy_changed(self, age: u64) -> bool {
        age < self.days / 2
    }

    /// A newsletter service of its own began to send for the last domain, set up well.
    pub fn has_campaigns(self, age: u64) -> bool {
        age < self.days * 2 / 5
    }

    /// A ticket system began to send for the first domain, not yet set up to pass.
    pub fn has_ticket_system(self, age: u64) -> bool {
        age < self.days * 6 / 10
    }
}
