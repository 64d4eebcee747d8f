-- daily: what the records of a batch add to each day. One row per (day, domain).
merge into daily
using (
    with cuts as (
        -- a period of more than 26 hours is split over its days; one of more than 31 days is no period of a report
        select load_key, epoch_us(begin_utc) as begin_us, epoch_us(end_utc) as end_us,
            unnest(range(date_trunc('day', begin_utc), end_utc, interval 1 day)) as midnight
        from stage_reports
        where end_utc - begin_utc > interval 26 hours and end_utc - begin_utc <= interval 31 days
    ), shares as (
        -- the period before and up to the end of this day; 128 bits hold any count times any period
        select load_key, midnight::date as day, (end_us - begin_us)::hugeint as total_us,
            greatest(epoch_us(midnight) - begin_us, 0)::hugeint as before_us,
            (least(epoch_us(midnight) + 86400000000, end_us) - begin_us)::hugeint as until_us
        from cuts
    ), parts as (
        select coalesce(s.day, c.day) as day, c.domain, c.dmarc_pass, c.dkim_aligned, c.spf_aligned, c.disposition,
            c.overridden, c.category, c.fail_cause,
            coalesce(c.messages * s.until_us // s.total_us - c.messages * s.before_us // s.total_us, c.messages)
                as part
        from stage_classified c
        left join shares s using (load_key)
    )
    select day, domain,
        sum(part) as messages,
        coalesce(sum(part) filter (dmarc_pass), 0) as passed,
        coalesce(sum(part) filter (dkim_aligned), 0) as dkim_aligned,
        coalesce(sum(part) filter (spf_aligned), 0) as spf_aligned,
        coalesce(sum(part) filter (dkim_aligned and spf_aligned), 0) as both_aligned,
        coalesce(sum(part) filter (disposition in ('none', 'pass')), 0) as delivered,
        coalesce(sum(part) filter (disposition = 'quarantine'), 0) as quarantined,
        coalesce(sum(part) filter (disposition = 'reject'), 0) as rejected,
        coalesce(sum(part) filter (disposition is null), 0) as disposition_unknown,
        coalesce(sum(part) filter (overridden), 0) as overridden,
        coalesce(sum(part) filter (category = 'compliant'), 0) as compliant,
        coalesce(sum(part) filter (category = 'forwarded_pass'), 0) as forwarded_pass,
        coalesce(sum(part) filter (category = 'forwarded_fail'), 0) as forwarded_fail,
        coalesce(sum(part) filter (category = 'misconfigured'), 0) as misconfigured,
        coalesce(sum(part) filter (category = 'known_unapproved'), 0) as known_unapproved,
        coalesce(sum(part) filter (category = 'unknown'), 0) as unknown,
        coalesce(sum(part) filter (category = 'threat'), 0) as threat,
        coalesce(sum(part) filter (fail_cause = 'both_pass_none_aligned'), 0) as both_pass_none_aligned,
        coalesce(sum(part) filter (fail_cause = 'dkim_pass_unaligned'), 0) as dkim_pass_unaligned,
        coalesce(sum(part) filter (fail_cause = 'spf_pass_unaligned'), 0) as spf_pass_unaligned,
        coalesce(sum(part) filter (fail_cause = 'own_signature_broken'), 0) as own_signature_broken,
        coalesce(sum(part) filter (fail_cause = 'no_authentication'), 0) as no_authentication
    from parts
    group by day, domain
) as new
on daily.day = new.day and daily.domain = new.domain
-- sums of hostile counts stop at the largest BIGINT instead of failing the run
when matched then update set
    messages = least(daily.messages + new.messages, 9223372036854775807)::bigint,
    passed = least(daily.passed + new.passed, 9223372036854775807)::bigint,
    dkim_aligned = least(daily.dkim_aligned + new.dkim_aligned, 9223372036854775807)::bigint,
    spf_aligned = least(daily.spf_aligned + new.spf_aligned, 9223372036854775807)::bigint,
    both_aligned = least(daily.both_aligned + new.both_aligned, 9223372036854775807)::bigint,
    delivered = least(daily.delivered + new.delivered, 9223372036854775807)::bigint,
    quarantined = least(daily.quarantined + new.quarantined, 9223372036854775807)::bigint,
    rejected = least(daily.rejected + new.rejected, 9223372036854775807)::bigint,
    disposition_unknown = least(daily.disposition_unknown + new.disposition_unknown, 9223372036854775807)::bigint,
    overridden = least(daily.overridden + new.overridden, 9223372036854775807)::bigint,
    compliant = least(daily.compliant + new.compliant, 9223372036854775807)::bigint,
    forwarded_pass = least(daily.forwarded_pass + new.forwarded_pass, 9223372036854775807)::bigint,
    forwarded_fail = least(daily.forwarded_fail + new.forwarded_fail, 9223372036854775807)::bigint,
    misconfigured = least(daily.misconfigured + new.misconfigured, 9223372036854775807)::bigint,
    known_unapproved = least(daily.known_unapproved + new.known_unapproved, 9223372036854775807)::bigint,
    unknown = least(daily.unknown + new.unknown, 9223372036854775807)::bigint,
    threat = least(daily.threat + new.threat, 9223372036854775807)::bigint,
    both_pass_none_aligned = least(daily.both_pass_none_aligned + new.both_pass_none_aligned, 9223372036854775807)::bigint,
    dkim_pass_unaligned = least(daily.dkim_pass_unaligned + new.dkim_pass_unaligned, 9223372036854775807)::bigint,
    spf_pass_unaligned = least(daily.spf_pass_unaligned + new.spf_pass_unaligned, 9223372036854775807)::bigint,
    own_signature_broken = least(daily.own_signature_broken + new.own_signature_broken, 9223372036854775807)::bigint,
    no_authentication = least(daily.no_authentication + new.no_authentication, 9223372036854775807)::bigint
when not matched then insert values (
    new.day, new.domain,
    least(new.messages, 9223372036854775807)::bigint,
    least(new.passed, 9223372036854775807)::bigint,
    least(new.dkim_aligned, 9223372036854775807)::bigint,
    least(new.spf_aligned, 9223372036854775807)::bigint,
    least(new.both_aligned, 9223372036854775807)::bigint,
    least(new.delivered, 9223372036854775807)::bigint,
    least(new.quarantined, 9223372036854775807)::bigint,
    least(new.rejected, 9223372036854775807)::bigint,
    least(new.disposition_unknown, 9223372036854775807)::bigint,
    least(new.overridden, 9223372036854775807)::bigint,
    least(new.compliant, 9223372036854775807)::bigint,
    least(new.forwarded_pass, 9223372036854775807)::bigint,
    least(new.forwarded_fail, 9223372036854775807)::bigint,
    least(new.misconfigured, 9223372036854775807)::bigint,
    least(new.known_unapproved, 9223372036854775807)::bigint,
    least(new.unknown, 9223372036854775807)::bigint,
    least(new.threat, 9223372036854775807)::bigint,
    least(new.both_pass_none_aligned, 9223372036854775807)::bigint,
    least(new.dkim_pass_unaligned, 9223372036854775807)::bigint,
    least(new.spf_pass_unaligned, 9223372036854775807)::bigint,
    least(new.own_signature_broken, 9223372036854775807)::bigint,
    least(new.no_authentication, 9223372036854775807)::bigint
)
