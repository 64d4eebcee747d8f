//! What to do next about an alert, in plain sentences: the same for the same facts.

use serde_json::Value;

use crate::model::alert::Alert;
use crate::model::words::grouped;
use crate::query::Query;

/// What is known of the sender that an alert is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// Its name for people.
    pub name: String,
    /// Whether it is a well-known service, not one of the user's own.
    pub is_service: bool,
    /// What the SPF record of the return path's domain has to include.
    pub spf_include: Option<String>,
    /// Whether SPF can align for it: yes, partial or no; `None`: unknown.
    pub aligns_spf: Option<String>,
    /// Whether DKIM can.
    pub aligns_dkim: Option<String>,
}

/// Sentences for an alert: those of the rule for its facts, behind what the rule's file says.
pub fn advice(query: &Query, alert: &Alert, sender: Option<&Sender>) -> Vec<String> {
    let case = Case {
        alert,
        sender,
        domain: alert.domain.as_deref().unwrap_or("the domain"),
    };
    let mut sentences = query.advice.clone();
    sentences.extend(match &*alert.rule {
        "unknown_sender_failing" => case.unknown_sender(),
        "known_sender_failing" => case.own_sender(),
        "policy_applied" => case.refused(),
        "new_source" => case.new_source(),
        "policy_changed" => case.policy(),
        _ => Vec::new(),
    });
    sentences
}

struct Case<'a> {
    alert: &'a Alert,
    sender: Option<&'a Sender>,
    domain: &'a str,
}

impl Case<'_> {
    /// What people call the sender that it is about; the configuration names it by the subject.
    fn name(&self) -> &str {
        self.sender
            .map_or(&self.alert.subject, |sender| &sender.name)
    }

    fn text(&self, name: &str) -> &str {
        self.alert
            .facts
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn number(&self, name: &str) -> i64 {
        self.alert
            .facts
            .get(name)
            .and_then(Value::as_i64)
            .unwrap_or(0)
    }

    fn unknown_sender(&self) -> Vec<String> {
        let (subject, name, domain) = (&self.alert.subject, self.name(), self.domain);
        let mut sentences = match self.text("category") {
            "known_unapproved" => vec![
                format!(
                    "Find out whether somebody in your organisation uses {name} to send as {domain}."
                ),
                format!(
                    "If so, approve it: put {subject} under `services` of known_senders.{domain}, and let it pass by the steps that follow."
                ),
            ],
            "unknown" => vec![
                format!(
                    "Find out whose address it is: SPF or DKIM passed for another domain, which the records on its page name. \
                     It may be a service that somebody uses to send as {domain}, or a server that carries mail on."
                ),
                format!(
                    "If it is yours, put it into known_senders.{domain}, and let it pass by the steps that follow."
                ),
            ],
            _ => vec![format!(
                "Nothing of this mail could be authenticated. Find out whether the address is one of yours: if so, put \
                     it into known_senders.{domain}, and let it pass by the steps that follow."
            )],
        };
        sentences.extend(self.fix());
        sentences.push(if self.number("rejected") >= self.alert.messages {
            "If it is not yours, there is nothing to do: receivers rejected all of it, as the policy asks.".to_owned()
        } else if self.number("quarantined").saturating_add(self.number("rejected")) >= self.alert.messages {
            "If it is not yours, receivers did what the policy asks: what they quarantined lies in folders for junk, \
             where people can still open it."
                .to_owned()
        } else {
            format!(
                "If it is not yours, a policy of quarantine or reject for {domain} lets receivers refuse such mail; see the \
                 policy advice on the page of the domain before you change it."
            )
        });
        sentences
    }

    fn own_sender(&self) -> Vec<String> {
        let mut sentences = self.fix();
        let refused = self
            .number("quarantined")
            .saturating_add(self.number("rejected"));
        if refused > 0 {
            sentences.push(format!(
                "Receivers quarantined or rejected {} of these messages: until it is mended, mail is lost.",
                grouped(refused)
            ));
        }
        sentences
    }

    fn refused(&self) -> Vec<String> {
        let (name, domain) = (self.name(), self.domain);
        vec![if self.text("category") == "misconfigured" {
            format!(
                "{name} may send for {domain}, and receivers did what the policy asks with mail that fails. Let it pass \
                 again (its alert about failing mail, or the records on its page, say what is wrong), or weaken the policy until \
                 it does."
            )
        } else {
            format!(
                "{name} is not approved for {domain}. If it sends for you, approve it in known_senders and set it up; if \
                 not, the policy did what it is for."
            )
        }]
    }

    fn new_source(&self) -> Vec<String> {
        let (subject, name, domain) = (&self.alert.subject, self.name(), self.domain);
        let is_approved =
            self.alert.facts.get("is_approved").and_then(Value::as_bool) == Some(true);
        vec![if is_approved {
            format!(
                "{name} is one of the known senders of {domain}: nothing to do, if you know of it."
            )
        } else if self.sender.is_some_and(|sender| sender.is_service) {
            format!(
                "Find out who set up {name} for {domain}. If it is wanted, put {subject} under `services` of \
                 known_senders.{domain}; if not, take away the DNS records that let it pass."
            )
        } else {
            format!(
                "Its mail passes, so it is in the SPF record of {domain} or signs with a key of it. If you know it, put it \
                 into known_senders.{domain}; if not, find out how it got there."
            )
        }]
    }

    fn policy(&self) -> Vec<String> {
        vec![format!(
            "If you changed _dmarc.{} there is nothing to do. If not, find out who did, and why: it was {} before.",
            self.domain,
            match self.text("before") {
                "" => "another policy",
                before => before,
            }
        )]
    }

    /// What would let the mail pass, by the cause of its failing.
    fn fix(&self) -> Vec<String> {
        let domain = self.domain;
        let own_dkim = format!(
            "DKIM: let it sign with d={domain} (or a name below it), and publish the key that it signs with at \
             SELECTOR._domainkey.{domain}."
        );
        let own_spf = format!(
            "SPF: give it a return path (bounce address) in {domain} or below, and put it into the SPF record of that name."
        );
        let mut sentences = match self.text("fail_cause") {
            "own_signature_broken" => vec![format!(
                "There is a signature of {domain}, and it does not verify: compare the key in DNS at \
                 SELECTOR._domainkey.{domain} with the one that it signs with. A key that was changed or removed, or \
                 software that alters mail behind the signature, are the usual causes."
            )],
            "dkim_pass_unaligned" => vec![format!(
                "It signs, but for another domain than {domain}. {own_dkim}"
            )],
            "spf_pass_unaligned" => vec![
                format!("SPF passes, but for another domain than {domain}."),
                own_spf,
                own_dkim,
            ],
            "both_pass_none_aligned" => vec![
                format!(
                    "SPF and DKIM pass, but for other domains than {domain}; one of the two has to be for it."
                ),
                own_dkim,
                own_spf,
            ],
            _ => vec![
                "Neither SPF nor DKIM passes for any domain.".to_owned(),
                own_dkim,
                own_spf,
            ],
        };
        sentences.extend(self.of_service());
        sentences
    }

    fn of_service(&self) -> Vec<String> {
        let Some(sender) = self.sender.filter(|sender| sender.is_service) else {
            return Vec::new();
        };
        let name = self.name();
        let mut sentences = Vec::new();
        if let Some(include) = &sender.spf_include {
            sentences.push(format!("Its entry in an SPF record is include:{include}."));
        }
        match (sender.aligns_spf.as_deref(), sender.aligns_dkim.as_deref()) {
            (Some("no"), Some("yes")) => sentences.push(format!("With {name}, SPF never aligns: DKIM is the way.")),
            (Some("partial"), Some("yes")) => sentences.push(format!(
                "With {name}, SPF aligns only in some plans and set-ups: DKIM is the surer way."
            )),
            (Some("yes"), Some("no")) => sentences.push(format!("With {name}, DKIM never aligns: SPF is the way.")),
            (Some("no"), Some("no")) => sentences.push(format!(
                "Mail of {name} cannot be made to pass for {domain}: send it from an address of its own domain.",
                domain = self.domain
            )),
            _ => {}
        }
        sentences
    }
}
