-- reclassified_senders: first and last days of senders that lost or gained records; those that lost all are gone. One row per (domain, sender).
merge into domain_senders
using (
    with pairs as (
        select domain, sender from stage_reclassified where sender is not null
        union
        select domain, had_sender from stage_reclassified where had_sender is not null
    ), days as (
        select domain, sender, min(day) as first_day, max(day) as last_day
        from records
        semi join pairs using (domain, sender)
        group by domain, sender
    )
    -- the report that said it first may be gone
    select pairs.domain, pairs.sender, least(days.first_day, coalesce(seen.first_day, days.first_day)) as first_day,
        days.last_day
    from pairs
    left join days using (domain, sender)
    left join first_seen seen
        on seen.kind = 'sender' and seen.subject = pairs.sender and seen.domain = pairs.domain
) as new
on domain_senders.domain = new.domain and domain_senders.sender = new.sender
when matched and new.last_day is null then delete
when matched then update set first_day = new.first_day, last_day = new.last_day
