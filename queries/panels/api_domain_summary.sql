-- api_domain_summary: the last 30 days of a domain in counts. One row.
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=api/domain_summary title="Summary" chart=figures order=10
with volume as (
    select
        coalesce(sum(messages), 0) as messages,
        coalesce(sum(passed), 0) as passed,
        coalesce(sum(dkim_aligned), 0) as dkim_aligned,
        coalesce(sum(spf_aligned), 0) as spf_aligned,
        coalesce(sum(both_aligned), 0) as both_aligned,
        coalesce(sum(delivered), 0) as delivered,
        coalesce(sum(quarantined), 0) as quarantined,
        coalesce(sum(rejected), 0) as rejected,
        coalesce(sum(disposition_unknown), 0) as disposition_unknown,
        coalesce(sum(overridden), 0) as overridden,
        coalesce(sum(compliant), 0) as compliant,
        coalesce(sum(forwarded_pass), 0) as forwarded_pass,
        coalesce(sum(forwarded_fail), 0) as forwarded_fail,
        coalesce(sum(misconfigured), 0) as misconfigured,
        coalesce(sum(known_unapproved), 0) as known_unapproved,
        coalesce(sum(unknown), 0) as unknown,
        coalesce(sum(threat), 0) as threat,
        coalesce(sum(both_pass_none_aligned), 0) as both_pass_none_aligned,
        coalesce(sum(dkim_pass_unaligned), 0) as dkim_pass_unaligned,
        coalesce(sum(spf_pass_unaligned), 0) as spf_pass_unaligned,
        coalesce(sum(own_signature_broken), 0) as own_signature_broken,
        coalesce(sum(no_authentication), 0) as no_authentication
    from daily
    where domain = $domain
        and day >= $as_of - 30
        and day < $as_of
),
told as (
    select
        count(*) filter (day >= $as_of - 30) as reports,
        count(distinct org_domain) filter (day >= $as_of - 30) as reporters,
        max(end_utc) as last_report_at
    from reports
    where domain = $domain
        and day < $as_of
)
select
    $domain as domain,
    volume.*,
    messages - passed as failing,
    round(100.0 * passed / nullif(messages, 0), 1) as dmarc_pass_rate_percent,
    round(100.0 * passed / nullif(messages - unknown - threat, 0), 1) as legit_pass_rate_percent,
    round(100.0 * dkim_aligned / nullif(messages, 0), 1) as dkim_aligned_percent,
    round(100.0 * spf_aligned / nullif(messages, 0), 1) as spf_aligned_percent,
    round(100.0 * both_aligned / nullif(messages, 0), 1) as both_aligned_percent,
    told.*
from volume, told
