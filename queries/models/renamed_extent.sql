-- renamed_extent: how many records renamed addresses have, how much text their reports have at most, and whether a sum that they are in is so large that it may have been cut. One row.
with those as (
    select report, source_ip, day, domain
    from records
    semi join stage_renamed using (source_ip)
)
select (select count(*) from those) as records,
    (
        select coalesce(sum(list_sum(record_text_bytes)), 0)::hugeint
        from reports
        where id in (select report from those)
    ) as text_bytes,
    exists (from sources semi join those using (domain) where messages >= 4611686018427387904)
        or exists (from domain_senders semi join those using (domain) where messages >= 4611686018427387904)
        or exists (from daily semi join those using (domain) where messages >= 4611686018427387904) as is_huge
