-- intake_list: the newest documents that ended in one of the outcomes of $outcomes, a list with commas. One row per (item_no, member).
-- params: $outcomes VARCHAR, $limit BIGINT
with chosen as (
    select item_no, path, kind, outcome, code, detail, report
    from documents
    where list_contains(string_split($outcomes, ','), outcome)
    order by item_no desc, path
    limit $limit
)
select
    chosen.item_no,
    chosen.outcome,
    chosen.code,
    chosen.detail,
    items.file_name as file,
    chosen.path as member,
    chosen.kind,
    chosen.report,
    items.mail_from,
    items.subject
from chosen
left join items using (item_no)
order by item_no desc, member
