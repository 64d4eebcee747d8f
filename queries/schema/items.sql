-- items: one row per archived mail or file, whether it held a report or not. One row per (item_no).
create table items (
    item_no bigint not null,
    sha256 varchar not null,
    kind varchar not null,
    bytes bigint not null,
    source varchar not null,
    inbox varchar,
    folder varchar,
    uidvalidity bigint,
    uid bigint,
    message_id varchar,
    mail_from varchar,
    subject varchar,
    mail_date_utc timestamp,
    file_name varchar,
    received_utc timestamp not null
)
