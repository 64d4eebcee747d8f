-- senders: named senders, from known_senders of the configuration. One row per (sender).
create table senders (
    sender varchar not null, -- identifier
    name varchar not null, -- name for people
    kind varchar not null, -- what it is; configured for a sender named in the configuration
    approved_for varchar[] not null, -- policy domains it may send for
    networks varchar[] not null, -- its addresses in CIDR notation
    dkim_domains varchar[] not null, -- its DKIM domains
    spf_domains varchar[] not null, -- its SPF domains
    aligned_dkim boolean not null -- an aligned DKIM pass is evidence of it
)
