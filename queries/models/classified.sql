-- classified: category and cause of failure of each staged record that counts. One row per (load_key, record_no).
insert into stage_classified
with approvals as (
    select distinct s.sender, d.domain
    from (select sender, unnest(approved_for) as approved from senders) s
    join (select distinct domain from stage_reports) d on d.domain = s.approved or ends_with(d.domain, '.' || s.approved)
), facts as (
    select r.load_key, r.record_no, p.report, p.day, p.domain, r.source_ip, r.messages,
        r.disposition, r.dkim_aligned, r.spf_aligned, r.dkim_aligned or r.spf_aligned as dmarc_pass, k.sender,
        coalesce(s.kind, '') as kind, a.sender is not null as is_approved,
        -- evidence in the lists is read only where it decides
        not dmarc_pass and len(list_filter(r.dkim, lambda x: x.result = 'pass')) > 0 as dkim_raw,
        not dmarc_pass and len(list_filter(r.spf, lambda x: x.result = 'pass')) > 0 as spf_raw,
        not dmarc_pass and len(list_filter(r.dkim, lambda x: x.aligned and x.result <> 'pass')) > 0
            as is_own_signature_broken,
        len(r.reasons) > 0 and len(list_filter(r.reasons, lambda x:
            x.type in ('forwarded', 'trusted_forwarder', 'mailing_list')
            or (x.type = 'local_policy' and regexp_matches(coalesce(x.comment, ''), 'arc\s*=\s*pass', 'i')))) > 0
            as is_forward_reported,
        -- a sample is not an override
        coalesce(p.pct, 100) < 100 or len(list_filter(r.reasons, lambda x: x.type = 'sampled_out')) > 0 as is_sampled,
        case when r.header_from = p.domain then p.p else coalesce(p.sp, p.p) end as published,
        case
            when coalesce(p.testing, false) and published = 'reject' then 'quarantine'
            when coalesce(p.testing, false) and published = 'quarantine' then 'none'
            else published
        end as requested
    from stage_records r
    join stage_reports p using (load_key)
    left join stage_senders k using (load_key, record_no)
    left join senders s on s.sender = k.sender
    left join approvals a on a.sender = k.sender and a.domain = p.domain
), forwards as (
    select *,
        is_forward_reported or kind = 'forwarder'
        -- DKIM survived, SPF did not, and the source is not one of the domain's own senders
        or (dkim_aligned and not spf_aligned and not is_approved and kind <> 'esp') as is_forward
    from facts
)
select load_key, record_no, report, day, domain, source_ip, messages, disposition, dkim_aligned,
    spf_aligned, dmarc_pass, sender,
    case
        when dmarc_pass and is_forward then 'forwarded_pass'
        when dmarc_pass then 'compliant'
        when is_forward then 'forwarded_fail'
        when is_approved then 'misconfigured'
        when sender is not null then 'known_unapproved'
        when spf_raw or dkim_raw then 'unknown'
        else 'threat'
    end as category,
    case
        when dmarc_pass then null
        when dkim_raw and spf_raw then 'both_pass_none_aligned'
        when dkim_raw then 'dkim_pass_unaligned'
        when spf_raw then 'spf_pass_unaligned'
        when is_own_signature_broken then 'own_signature_broken'
        else 'no_authentication'
    end as fail_cause,
    coalesce(not dmarc_pass and not is_sampled and coalesce(disposition, 'none') <> requested, false) as overridden
from forwards
