-- rule_faults: what was wrong with the answers of rules when they were asked last; of those that cannot be asked, what the database says. One row per (rule, fault).
select
    rule_faults.rule,
    rule_faults.fault,
    rule_faults.is_failure,
    rule_faults.rows,
    coalesce(rule_outages.problem, rule_faults.about) as problem
from rule_faults
left join rule_outages
    on rule_faults.is_failure and rule_outages.rule = rule_faults.rule and rule_outages.until_day is null
order by rule_faults.is_failure desc, rule_faults.rule, rule_faults.fault
