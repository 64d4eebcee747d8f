//! Asks every rule of what is published: the tables of yesterday say what empty ones cannot.

use anyhow::Result;

use super::Findings;
use crate::alert::Rules;
use crate::job::folders::Folders;
use crate::job::judge::rehearse;
use crate::model::rule_fault::Fault;
use crate::publish::{Generation, Publisher};
use crate::query::{ReaderLimits, open_read_only};
use crate::store::answers::Answer;

impl Findings {
    pub(super) fn look_at_rules(&mut self, rules: &Rules, folders: &Folders) {
        // What else is wrong with it is told of elsewhere.
        let Ok(Some(generation)) = Publisher::open(&folders.public()).current() else {
            return;
        };
        if generation.manifest.values.code_hash != env!("SENTINEL_CODE_HASH") {
            let fact = "rules: not asked, because another version of the program published";
            return self.facts.push(fact.to_owned());
        }
        if let Err(error) = self.ask_rules(rules, &generation) {
            self.add_problem(format!("asking the rules of what is published: {error:#}"));
        }
    }

    fn ask_rules(&mut self, rules: &Rules, generation: &Generation) -> Result<()> {
        let Some(database) = generation.database() else {
            return Ok(());
        };
        let connection = open_read_only(&database, ReaderLimits::default())?;
        for (rule, answer) in rehearse(&connection, rules, generation.manifest.values.as_of)? {
            match answer {
                Answer::Rows(faults) => self.facts.extend(
                    (faults.iter())
                        .map(|(fault, rows)| format!("rule {rule}: {} ({rows})", fault.about())),
                ),
                // A run may have more than this check.
                Answer::Failure(Fault::TooMuchMemory, words) => {
                    self.facts.push(format!("rule {rule}: not asked, {words}"));
                }
                Answer::Failure(_, words) => {
                    self.add_problem(format!(
                        "{words}; the rule {rule} has no alerts until it can be asked"
                    ));
                }
            }
        }
        Ok(())
    }
}
