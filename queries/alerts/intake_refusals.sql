-- intake_refusals: days with documents that had to be refused, by the code of the refusal, within a window that has enough of them. One row per (domain, subject, day).
-- params: $since DATE, $until DATE, $days BIGINT, $min_documents BIGINT
-- rule: title="Documents refused as {subject}: {documents}" severity=warning sums=documents
-- default: days=7 min_documents=1
-- advice: Look at /intake for what was refused and why; the bytes are kept.
-- advice: A report that is over a limit is read with a higher limit; a damaged one comes again tomorrow, or its reporter has to be told.
with told as (
    select
        null::varchar as domain,
        coalesce(code, 'refused') as subject,
        -- a mail may say any day, but it was not sent after it came
        least(coalesce(mail_date_utc, received_utc), received_utc)::date as day,
        count(*) as documents,
        max(mail_from) as mail_from
    from documents
    join items using (item_no)
    where outcome = 'refused'
    group by all
),
windows as (
    select *, sum(documents) over (
        partition by subject order by day - date '2000-01-01'
        range between $days::integer - 1 preceding and current row
    ) as until_day
    from told
),
largest as (
    select *, max(until_day) over (
        partition by subject order by day - date '2000-01-01'
        range between current row and $days::integer - 1 following
    ) as in_window
    from windows
)
select
    domain,
    subject,
    day,
    0 as messages,
    documents,
    mail_from
from largest
where in_window >= $min_documents
    and day >= $since
    and day < $until
order by domain, subject, day
