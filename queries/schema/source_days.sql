-- source_days: messages by day, domain, sending address and what became of them; what alert rules look at. One row per (day, domain, source_ip, sender, category, fail_cause, disposition).
create view source_days as
select
    day, -- UTC day of the middle of the report's period
    domain, -- policy domain
    source_ip, -- sending address; null where the report has no usable one
    sender, -- known sender; null where none is recognised
    category, -- compliant, forwarded_pass, forwarded_fail, misconfigured, known_unapproved, unknown or threat
    fail_cause, -- cause of failure; null where DMARC passes
    disposition, -- none, pass, quarantine or reject; null where the reporter said something else
    messages -- number of messages
from (
    select day, domain, source_ip, sender, category, fail_cause, disposition, sum(messages) as messages
    from records
    group by all
)
