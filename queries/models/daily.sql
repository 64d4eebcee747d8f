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
        -- many records are of few kinds: what follows adds up kinds
        select coalesce(s.day, p.day) as day, p.domain, c.dmarc_pass, c.dkim_aligned, c.spf_aligned, c.disposition,
            c.overridden, c.category, c.fail_cause,
            sum(coalesce(c.messages * s.until_us // s.total_us - c.messages * s.before_us // s.total_us, c.messages))
                as part
        from stage_classified c join stage_reports p using (load_key)
        left join shares s using (load_key) group by all
    ), added as (
        select day, domain, sum(part) as messages, sum(part) filter (dmarc_pass) as passed,
            sum(part) filter (dkim_aligned) as dkim_aligned, sum(part) filter (spf_aligned) as spf_aligned,
            sum(part) filter (dkim_aligned and spf_aligned) as both_aligned,
            sum(part) filter (disposition in ('none', 'pass')) as delivered,
            sum(part) filter (disposition = 'quarantine') as quarantined,
            sum(part) filter (disposition = 'reject') as rejected,
            sum(part) filter (disposition is null) as disposition_unknown,
            sum(part) filter (overridden) as overridden,
            sum(part) filter (category = 'compliant') as compliant,
            sum(part) filter (category = 'forwarded_pass') as forwarded_pass,
            sum(part) filter (category = 'forwarded_fail') as forwarded_fail,
            sum(part) filter (category = 'misconfigured') as misconfigured,
            sum(part) filter (category = 'known_unapproved') as known_unapproved,
            sum(part) filter (category = 'unknown') as unknown,
            sum(part) filter (category = 'threat') as threat,
            sum(part) filter (fail_cause = 'both_pass_none_aligned') as both_pass_none_aligned,
            sum(part) filter (fail_cause = 'dkim_pass_unaligned') as dkim_pass_unaligned,
            sum(part) filter (fail_cause = 'spf_pass_unaligned') as spf_pass_unaligned,
            sum(part) filter (fail_cause = 'own_signature_broken') as own_signature_broken,
            sum(part) filter (fail_cause = 'no_authentication') as no_authentication
        from parts
        group by day, domain
    ), both_rows as (
        select * from added
        union all by name
        select daily.* from daily semi join added using (day, domain)
    )
    -- sums of hostile counts stop at the largest BIGINT instead of failing the run
    select day, domain,
        least(coalesce(sum(columns(* exclude (day, domain))), 0), 9223372036854775807)::bigint as '\0'
    from both_rows
    group by day, domain
) as new
using (day, domain)
when matched then update
when not matched then insert
