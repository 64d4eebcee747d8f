-- senders: named senders, from known_senders of the configuration. One row per (sender).
create table senders (
    sender varchar not null,
    name varchar not null,
    kind varchar not null,
    approved_for varchar[] not null,
    networks varchar[] not null,
    dkim_domains varchar[] not null,
    spf_domains varchar[] not null,
    aligned_dkim boolean not null
)
