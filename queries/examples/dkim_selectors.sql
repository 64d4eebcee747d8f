-- dkim_selectors: which DKIM keys sign for each domain, and whether their signatures hold. One row per (domain, signer, selector).
select
    domain,
    coalesce(signature.domain, 'none') as signer,
    coalesce(signature.selector, 'none') as selector,
    bool_or(signature.aligned) as aligned,
    sum(messages) as messages,
    coalesce(sum(messages) filter (signature.result = 'pass'), 0) as valid,
    min(day) as first_day,
    max(day) as last_day
from (select domain, day, messages, unnest(dkim) as signature from records)
group by all
order by domain, messages desc, signer, selector
