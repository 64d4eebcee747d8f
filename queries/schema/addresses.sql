-- addresses: what is known of sending addresses from elsewhere: look-ups of host names, files of networks; empty unless they are configured. One row per (source_ip).
create table addresses (
    source_ip varchar not null, -- sending address
    host_name varchar, -- name of the host, confirmed by an address record that leads back; the last answer holds for all reports; null where there is none
    country varchar, -- country of its network, two letters; null where unknown
    asn bigint, -- number of the autonomous system that it is in; null where unknown
    network varchar -- name of that system; null where unknown
)
