-- mailbox_unreachable: days on which a mailbox could not be read, for longer than a hiccup takes. One row per (domain, subject, day).
-- params: $as_of DATE, $since DATE, $until DATE, $min_hours BIGINT
-- rule: title="The mailbox {subject} cannot be read" severity=critical
-- default: min_hours=6
-- advice: Look at /inboxes for what the server says, and at `sentinel check`. Reports wait in the mailbox meanwhile, as far as it has room.
with days as (
    select
        inbox,
        until_utc,
        error,
        unnest(range(date_trunc('day', since_utc), least(until_utc, $as_of + 1), interval 1 day))::date as day
    from mailbox_outages
    where needs_a_person
        or date_diff('second', since_utc, coalesce(until_utc, last_utc)) >= $min_hours * 3600
)
select
    null::varchar as domain,
    inbox as subject,
    day,
    0 as messages,
    -- of two on a day, the later one
    max({'until': coalesce(until_utc, timestamp '9999-01-01'), 'error': error}).error as error,
    case when count(*) = count(until_utc) then max(until_utc)::date end as ended_day
from days
where day >= $since
    and day < $until
group by inbox, day
order by domain, subject, day
