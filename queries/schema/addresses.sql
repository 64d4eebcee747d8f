-- addresses: what is known of sending addresses from elsewhere; empty unless look-ups are on. One row per (source_ip).
create table addresses (
    source_ip varchar not null, -- sending address
    host_name varchar, -- name of the host, confirmed by an address record that leads back; null where there is none
    country varchar, -- country of its network, two letters; null where unknown
    network varchar -- name of its network; null where unknown
)
