-- rule_failed: days on which a rule could not be asked, so that it has no alerts. One row per (domain, subject, day).
-- params: $as_of DATE, $since DATE, $until DATE
-- rule: title="The rule {subject} cannot be asked" severity=warning
-- advice: Mend the file that the problem names; `sentinel check` asks every rule of what is published, and says what is wrong.
-- advice: The alerts of this rule are not shown until it can be asked. What was done with them holds again then.
with failing as (
    select
        rule as subject,
        problem,
        until_day,
        -- a day at least, also where it could be asked again on the same
        unnest(range(
            since_day,
            least(greatest(coalesce(until_day, $as_of + 1), since_day + 1), $as_of + 1),
            interval 1 day
        ))::date as day
    from rule_outages
)
select
    null::varchar as domain,
    subject,
    day,
    0 as messages,
    -- of two on a day, the one that is not over, or the later one
    max({'until': coalesce(until_day, date '9999-01-01'), 'problem': problem}).problem as problem,
    case when count(*) = count(until_day) then max(until_day) end as ended_day
from failing
where day >= $since
    and day < $until
group by subject, day
order by domain, subject, day
