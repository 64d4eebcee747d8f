-- items: one row per archived mail or file, whether it held a report or not. One row per (item_no).
create table items (
    item_no bigint not null, -- number in the archive, from 1, in order of arrival
    sha256 varchar not null, -- SHA-256 of the bytes as fetched, lower-case hex
    kind varchar not null, -- mail or file
    content varchar not null, -- kept, known (the same bytes are with an earlier item), dropped, or expired (all in it is older than the retention)
    bytes bigint not null, -- size of the item
    source varchar not null, -- file, stdin or imap
    inbox varchar, -- name of the configured inbox
    folder varchar, -- mail folder
    uidvalidity bigint, -- IMAP UIDVALIDITY of the folder
    uid bigint, -- IMAP UID
    message_id varchar, -- Message-ID without <>
    mail_from varchar, -- address of From
    subject varchar, -- Subject, decoded
    mail_date_utc timestamp, -- Date of the mail, UTC
    file_name varchar, -- path as given, with the member of an archive after !
    received_utc timestamp not null -- when it was read, UTC
)
