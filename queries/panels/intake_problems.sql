-- intake_problems: the newest 200 documents that were refused, are in conflict with an earlier report or belong to another domain. One row per (item_no, path).
-- panel: page=intake title="Refused, in conflict or foreign" chart=table order=20
with problems as (
    select item_no, path, kind, outcome, code, detail, report
    from documents
    where outcome in ('refused', 'conflict', 'foreign')
    order by item_no desc, path
    limit 200
)
select
    problems.item_no,
    problems.outcome,
    problems.code,
    problems.detail,
    problems.report,
    problems.kind,
    items.mail_from,
    items.subject,
    items.file_name,
    problems.path
from problems
left join items using (item_no)
order by item_no desc, path
