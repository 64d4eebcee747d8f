-- sources: what the records of a batch add to each source. One row per (source_ip, domain).
merge into sources
using (with of_keys as (
    select address_key, domain, min(day) as first_day, max(day) as last_day,
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
    where address_key is not null
    group by address_key, domain
), added as (
    select source_ip, of_keys.* exclude (address_key) from of_keys join stage_addresses using (address_key)
)
    -- the report that said it first may be gone
    select added.* replace (least(added.first_day, coalesce(seen.first_day, added.first_day)) as first_day)
    from added
    left join first_seen seen
        on seen.kind = 'source' and seen.subject = added.source_ip and seen.domain = added.domain
) as new
on sources.source_ip = new.source_ip and sources.domain = new.domain
-- sums of hostile counts stop at the largest BIGINT instead of failing the run
when matched then update set
    first_day = least(sources.first_day, new.first_day),
    last_day = greatest(sources.last_day, new.last_day),
    messages = least(sources.messages + new.messages, 9223372036854775807)::bigint,
    passed = least(sources.passed + new.passed, 9223372036854775807)::bigint,
    dkim_aligned = least(sources.dkim_aligned + new.dkim_aligned, 9223372036854775807)::bigint,
    spf_aligned = least(sources.spf_aligned + new.spf_aligned, 9223372036854775807)::bigint,
    compliant = least(sources.compliant + new.compliant, 9223372036854775807)::bigint,
    forwarded_pass = least(sources.forwarded_pass + new.forwarded_pass, 9223372036854775807)::bigint,
    forwarded_fail = least(sources.forwarded_fail + new.forwarded_fail, 9223372036854775807)::bigint,
    misconfigured = least(sources.misconfigured + new.misconfigured, 9223372036854775807)::bigint,
    known_unapproved = least(sources.known_unapproved + new.known_unapproved, 9223372036854775807)::bigint,
    unknown = least(sources.unknown + new.unknown, 9223372036854775807)::bigint,
    threat = least(sources.threat + new.threat, 9223372036854775807)::bigint
when not matched then insert values (
    new.source_ip, new.domain, new.first_day, new.last_day,
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
