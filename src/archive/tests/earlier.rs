//! Segments as earlier versions wrote them.

use parquet::arrow::ArrowWriter;

use super::*;

/// Columns that came later.
const LATER: [&str; 2] = [columns::ACCOUNT, columns::IS_CHOSEN];

#[test]
fn columns_that_came_later_may_be_missing() {
    let folder = TempDir::new().unwrap();
    let message = |uid, account: Option<&str>| {
        let mut item = mail(&format!("mail {uid}"));
        item.provenance = Provenance {
            source: "imap".into(),
            inbox: Some("a".into()),
            folder: Some("F".into()),
            uidvalidity: Some(1),
            uid: Some(uid),
            account: account.map(str::to_owned),
            is_chosen: account.is_some(),
            ..Provenance::default()
        };
        item
    };
    let items = [message(1, None), message(2, None), message(3, Some("u@a"))];
    let batch = encode::to_batch(1, &items[..2]).unwrap();
    let fields = batch.schema();
    let had =
        (0..batch.num_columns()).filter(|at| !LATER.contains(&fields.field(*at).name().as_str()));
    let batch = batch.project(&had.collect::<Vec<_>>()).unwrap();
    let file = File::create(segment(&folder, 1, 2)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let mut archive = Archive::open(folder.path()).unwrap();
    archive.append(&items[2..]).unwrap();
    let told = |archive: &Archive| {
        let mut told = Vec::new();
        let mut note = |mail: FetchedMail| {
            told.push((mail.uid, mail.account.map(str::to_owned), mail.is_chosen));
        };
        archive.fetched_mails(0, &mut note).unwrap();
        told
    };
    let expect = [
        (1, None, false),
        (2, None, false),
        (3, Some("u@a".to_owned()), true),
    ];
    assert_eq!(all(&archive), numbered(&items));
    assert_eq!(told(&archive), expect);
    let joined = archive.compact(i64::MAX).unwrap();
    assert_eq!((joined.segments_before, joined.segments_after), (2, 1));
    assert_eq!(all(&archive), numbered(&items));
    assert_eq!(told(&archive), expect);
}
