-- sources: what each sending address sent for each domain, over all time. One row per (source_ip, domain).
create table sources (
    source_ip varchar not null,
    domain varchar not null,
    first_day date not null,
    last_day date not null,
    messages bigint not null,
    passed bigint not null,
    dkim_aligned bigint not null,
    spf_aligned bigint not null,
    compliant bigint not null,
    forwarded_pass bigint not null,
    forwarded_fail bigint not null,
    misconfigured bigint not null,
    known_unapproved bigint not null,
    unknown bigint not null,
    threat bigint not null
)
