-- source_days: messages of each address by day and by what they are. One row per (day, domain, source_ip, sender, carrier, category, fail_cause, disposition).
create view source_days as
select
    day, -- UTC day of the middle of the report's period
    domain, -- policy domain
    source_ip, -- sending address; null where the report has no usable one
    sender, -- sender with the best evidence; null where none is recognised
    carrier, -- another service with evidence; null where none is
    category, -- compliant, forwarded_pass, forwarded_fail, misconfigured, known_unapproved, unknown or threat
    fail_cause, -- why DMARC fails; null where it passes
    disposition, -- none, pass, quarantine or reject; null where the reporter said something else
    messages -- messages
from (
    select day, domain, source_ip, sender, carrier, category, fail_cause, disposition,
        least(sum(messages), 9223372036854775807)::bigint as messages
    from records
    group by day, domain, source_ip, sender, carrier, category, fail_cause, disposition
)
