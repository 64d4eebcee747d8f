-- domain_senders: what the records of a batch add to each sender of a domain. One row per (domain, sender).
merge into domain_senders
using (with added as (
    select domain, sender, min(day) as first_day, max(day) as last_day,
        sum(messages) as messages,
        coalesce(sum(messages) filter (dmarc_pass), 0) as passed,
        coalesce(sum(messages) filter (dkim_aligned), 0) as dkim_aligned,
        coalesce(sum(messages) filter (spf_aligned), 0) as spf_aligned,
        coalesce(sum(messages) filter (category = 'compliant'), 0) as compliant,
        coalesce(sum(messages) filter (category = 'forwarded_pass'), 0) as forwarded_pass,
        coalesce(sum(messages) filter (category = 'forwarded_fail'), 0) as forwarded_fail,
        coalesce(sum(messages) filter (category = 'misconfigured'), 0) as misconfigured,
        coalesce(sum(messages) filter (category = 'known_unapproved'), 0) as known_unapproved,
        coalesce(sum(messages) filter (category = 'unknown'), 0) as unknown,
        coalesce(sum(messages) filter (category = 'threat'), 0) as threat
    from stage_classified join stage_reports using (load_key)
    where sender is not null
    group by domain, sender
)
    -- the report that said it first may be gone
    select added.* replace (least(added.first_day, coalesce(seen.first_day, added.first_day)) as first_day)
    from added
    left join first_seen seen
        on seen.kind = 'sender' and seen.subject = added.sender and seen.domain = added.domain
) as new
on domain_senders.domain = new.domain and domain_senders.sender = new.sender
-- sums of hostile counts stop at the largest BIGINT instead of failing the run
when matched then update set
    first_day = least(domain_senders.first_day, new.first_day),
    last_day = greatest(domain_senders.last_day, new.last_day),
    messages = least(domain_senders.messages + new.messages, 9223372036854775807)::bigint,
    passed = least(domain_senders.passed + new.passed, 9223372036854775807)::bigint,
    dkim_aligned = least(domain_senders.dkim_aligned + new.dkim_aligned, 9223372036854775807)::bigint,
    spf_aligned = least(domain_senders.spf_aligned + new.spf_aligned, 9223372036854775807)::bigint,
    compliant = least(domain_senders.compliant + new.compliant, 9223372036854775807)::bigint,
    forwarded_pass = least(domain_senders.forwarded_pass + new.forwarded_pass, 9223372036854775807)::bigint,
    forwarded_fail = least(domain_senders.forwarded_fail + new.forwarded_fail, 9223372036854775807)::bigint,
    misconfigured = least(domain_senders.misconfigured + new.misconfigured, 9223372036854775807)::bigint,
    known_unapproved = least(domain_senders.known_unapproved + new.known_unapproved, 9223372036854775807)::bigint,
    unknown = least(domain_senders.unknown + new.unknown, 9223372036854775807)::bigint,
    threat = least(domain_senders.threat + new.threat, 9223372036854775807)::bigint
when not matched then insert values (
    new.domain, new.sender, new.first_day, new.last_day,
    least(new.messages, 9223372036854775807)::bigint,
    least(new.passed, 9223372036854775807)::bigint,
    least(new.dkim_aligned, 9223372036854775807)::bigint,
    least(new.spf_aligned, 9223372036854775807)::bigint,
    least(new.compliant, 9223372036854775807)::bigint,
    least(new.forwarded_pass, 9223372036854775807)::bigint,
    least(new.forwarded_fail, 9223372036854775807)::bigint,
    least(new.misconfigured, 9223372036854775807)::bigint,
    least(new.known_unapproved, 9223372036854775807)::bigint,
    least(new.unknown, 9223372036854775807)::bigint,
    least(new.threat, 9223372036854775807)::bigint
)
